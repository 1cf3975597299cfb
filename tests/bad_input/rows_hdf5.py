"""HDF5 files that lead into other files, over the tools that read one."""

from pathlib import Path

import h5py
from bad_row import Row, truncate

CHECK, CACHE = 'tools/data/check.py', 'tools/cache_teacher.py'
EXTRACT = 'tools/data/extract_detections.py'
LOAD = 'train_dataloader.dataset.pipeline.load.inputs'
OF_BOXES = ' '.join(
    (
        'distill.py new --seed 0 --cfg-options train_dataloader.dataset.pipeline.load.inputs=obj',
        'holdout_dataloader.dataset.pipeline.load.inputs=obj teacher.experts.one.modality=obj',
    )
)


def link_video(here: Path) -> None:
    """One video's detections are a link to another file."""
    (here / 'detections.h5').rename(here / 'other.h5')
    with h5py.File(here / 'detections.h5', 'w') as file, h5py.File(here / 'other.h5') as other:
        file.attrs.update(other.attrs)
        for name in other:
            file[name] = h5py.ExternalLink('other.h5', f'/{name}')


def link_boxes(here: Path) -> None:
    """The boxes of every video are links to another file."""
    with h5py.File(here / 'detections.h5', 'a') as file, h5py.File(here / 'other.h5', 'w') as other:
        for name in file:
            file.copy(f'{name}/boxes', other, name)
            del file[f'{name}/boxes']
            file[f'{name}/boxes'] = h5py.ExternalLink('other.h5', f'/{name}')


def store_outside(here: Path) -> None:
    """The boxes of every video are stored in a file of their own."""
    with h5py.File(here / 'detections.h5', 'a') as file:
        for name in file:
            boxes = file[f'{name}/boxes'][:]
            (here / f'{name}.bin').write_bytes(boxes.tobytes())
            del file[f'{name}/boxes']
            outside = [(str(here / f'{name}.bin'), 0, boxes.nbytes)]
            file.create_dataset(f'{name}/boxes', boxes.shape, boxes.dtype, external=outside)


VIDEO = r'P0\d_0\d'
LEADING_OUT = {
    'a linked video': (link_video, rf'/{VIDEO} is a link to another file, other\.h5:/{VIDEO}'),
    'linked boxes': (link_boxes, rf'/{VIDEO}/boxes is a link to another file, other\.h5:/{VIDEO}'),
    'boxes stored outside': (store_outside, rf'/{VIDEO}/boxes has its data in .*{VIDEO}\.bin'),
}

ROWS = (
    [
        Row(
            CACHE,
            f'detections with {what}',
            OF_BOXES,
            rf'detections\.h5: {expected}',
            prepare=prepare,
            left=['new/**'],
        )
        for what, (prepare, expected) in LEADING_OUT.items()
    ]
    + [
        Row(
            CHECK,
            f'detections with {what}',
            f'distill.py --workers 0 --out-dir checked --cfg-options {LOAD}=rgb,obj',
            rf'detections\.h5: {expected}',
            prepare=prepare,
            left=['checked/**'],
            listed=True,
        )
        for what, (prepare, expected) in LEADING_OUT.items()
    ]
    + [
        Row(
            EXTRACT,
            'a truncated file of detections',
            'detector.py detector.pth --videos videos/P01_01.mp4 --out detections.h5 --workers 0',
            r'detections\.h5 is not an HDF5 file, or it is truncated',
            prepare=lambda here: truncate(here / 'detections.h5'),
        ),
    ]
)
