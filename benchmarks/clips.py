"""Clips on disk as they are trained on: videos, flow, boxes, and the paper's HDF5 packs of them.

The pictures are the demo's, rendered at the size of EPIC-KITCHENS' published frames.
"""

import shutil
from functools import partial
from pathlib import Path

import av
import numpy as np

from mmdistill.extraction.flow import FlowSettings, set_up_flow
from mmdistill.extraction.frame_packing import Clip, images_of_flow, images_of_video, pack_clips
from mmdistill.extraction.jobs import Job
from mmdistill.modalities.detection_file import DetectionWriter, VideoDetections
from mmdistill.video import read_frames
from projects.demo.rendering.parameters import DemoParameters
from projects.demo.rendering.renderer import render_demo

from .ready_clips import NUM_BOXES
from .sizes import Size

FRAMES = 40  # of a clip
CLASSES = 97
CATEGORIES = 9
DONE = 'stock.txt'  # written last


def clips_on_disk(size: Size, folder: Path) -> Path:
    """Make the clips, unless they are there; returns their folder.

    | | |
    |---|---|
    | `videos/*.mp4` | one clip each, H.264 |
    | `flow/*/{u,v}` | JPEGs, DIS |
    | `detections.h5` | 10 random boxes a frame |
    | `rgb.h5`, `flow.h5` | the same frames as the paper's packs, JPEGs |
    | `train.csv` | for `MultimodalDataset` |
    | `stock.txt` | for MMAction2's `VideoDataset` |
    """
    root = folder / f'clips_{size.video[0]}x{size.video[1]}_{size.clips}'
    if (root / DONE).exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    parameters = DemoParameters(
        segments_per_video=1, segment_frames=(FRAMES, FRAMES), gap_frames=(0, 0), unseen_share=0
    )
    render_demo(root / 'demo', size.clips, 1, frame_size=size.video, params=parameters)
    rendered = sorted(root.glob('demo/*/videos/*.MP4'))[: size.clips]
    for path in rendered:
        _encode(path, root / 'videos' / f'{path.stem}.mp4', size.video)
    videos = sorted(root.glob('videos/*.mp4'))
    _write_flow(videos, root / 'flow')
    _write_boxes(videos, size, root / 'detections.h5')
    packs = dict(
        rgb=[Clip(path.stem, partial(images_of_video, path, 95)) for path in videos],
        flow=[Clip(p.stem, partial(images_of_flow, root / 'flow' / p.stem)) for p in videos],
    )
    for name, clips in packs.items():
        pack_clips(clips, root / f'{name}.h5', {}, lambda line: None)
    _write_annotations(videos, root)
    shutil.rmtree(root / 'demo')
    return root


def _encode(source: Path, path: Path, size: tuple[int, int]) -> None:
    """As H.264 with FFmpeg's usual settings, as EPIC-KITCHENS' videos are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w') as out:
        stream = out.add_stream('libx264', rate=30)
        (stream.width, stream.height), stream.pix_fmt = size, 'yuv420p'
        for _, frame_HW3 in read_frames(source):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame_HW3), format='bgr24')
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


def _write_flow(videos: list[Path], folder: Path) -> None:
    compute = set_up_flow(FlowSettings(dict(type='DIS', preset='ultrafast')), [], worker=0)
    folder.mkdir()
    for path in videos:
        compute(Job(path.stem, path, folder / path.stem, FRAMES), lambda frames: None)


def _write_boxes(videos: list[Path], size: Size, path: Path) -> None:
    rng = np.random.default_rng(0)
    count = FRAMES * NUM_BOXES
    with DetectionWriter(path, classes=[f'thing{k}' for k in range(CATEGORIES)]) as writer:
        for video in videos:
            corners = np.sort(rng.uniform(0, 1, (count, 2, 2)), axis=1) * size.video
            found = VideoDetections(
                *size.video,
                num_frames=FRAMES,
                stride=1,
                frames_F=np.arange(FRAMES),
                offsets_F1=np.arange(FRAMES + 1) * NUM_BOXES,
                boxes_M4=corners.reshape(count, 4).astype(np.float32),
                scores_M=rng.uniform(0.3, 1, count).astype(np.float32),
                labels_M=rng.integers(0, CATEGORIES, count),
            )
            writer.write(video.stem, found)


def _write_annotations(videos: list[Path], root: Path) -> None:
    rows = [f'{path.stem},0,{FRAMES},{i % CLASSES}' for i, path in enumerate(videos)]
    (root / 'train.csv').write_text(
        '\n'.join(['video_id,start_frame,stop_frame,action', *rows, ''])
    )
    lines = [f'{path.name} {i % CLASSES}' for i, path in enumerate(videos)]
    (root / DONE).write_text('\n'.join([*lines, '']))
