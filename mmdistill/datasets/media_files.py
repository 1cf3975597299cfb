"""Whether the files that records name are there."""

import os
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any

from mmengine.logging import print_log


def check_media_files(
    records: Sequence[dict[str, Any]], modalities: Set[str], ann_file: str
) -> None:
    """Look once at every file of the given modalities.

    Args:
        records: Records of a data set, with `media`.
        modalities: Entries of `media` that must be there.
        ann_file: What the error names.

    Raises:
        FileNotFoundError: Some are missing; names the first three and their number.
    """
    paths = {
        path: name
        for record in records
        for name, path in record['media'].items()
        if name in modalities and name not in record.get('absent', ())
    }
    missing = [path for path in paths if not Path(path).exists()]
    if missing:
        named = ', '.join(f'{path} ({paths[path]})' for path in missing[:3])
        raise FileNotFoundError(
            f'{len(missing)} of {len(paths)} media files of {ann_file} are missing: '
            f'{named}{", ..." if len(missing) > 3 else ""}. Check data_root and media, '
            'download or extract them, or set check_media=False.'
        )


def clips_with(
    records: list[dict[str, Any]], modalities: Sequence[str], ann_file: str
) -> list[dict[str, Any]]:
    """The records of clips that have the files of all these modalities; how many is logged.

    Raises:
        ValueError: None has them, or no clip has such a medium by its template.
    """
    unknown = [name for name in modalities if name not in records[0]['media']]
    if unknown:
        raise ValueError(
            f'filter_cfg asks for the media {unknown}, but the data set has only '
            f'{sorted(records[0]["media"])}.'
        )

    def has(record: dict[str, Any], name: str) -> bool:
        return name not in record.get('absent', ()) and os.path.exists(record['media'][name])

    kept = [record for record in records if all(has(record, name) for name in modalities)]
    if len(kept) < len(records):
        print_log(
            f'{len(records) - len(kept)} of {len(records)} clips of {ann_file} are left out: they '
            f'lack {" or ".join(modalities)}.',
            logger='current',
        )
    if not kept:
        raise ValueError(f'No clip of {ann_file} has all of {list(modalities)}: extract them.')
    return kept
