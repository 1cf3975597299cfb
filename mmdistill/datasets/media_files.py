"""Whether the files that records name are there."""

from collections.abc import Sequence, Set
from pathlib import Path


def check_media_files(records: Sequence[dict], modalities: Set[str], ann_file: str) -> None:
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
        if name in modalities
    }
    missing = [path for path in paths if not Path(path).exists()]
    if missing:
        named = ', '.join(f'{path} ({paths[path]})' for path in missing[:3])
        raise FileNotFoundError(
            f'{len(missing)} of {len(paths)} media files of {ann_file} are missing: '
            f'{named}{", ..." if len(missing) > 3 else ""}. Check data_root and media, '
            'download or extract them, or set check_media=False.'
        )
