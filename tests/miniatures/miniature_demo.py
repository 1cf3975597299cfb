"""The rendered demo in miniature: a few clips, their flow, and boxes drawn at random."""

from pathlib import Path

import numpy as np

from mmdistill.extraction.flow import FlowSettings, set_up_flow
from mmdistill.extraction.jobs import Job
from mmdistill.modalities.detection_file import DetectionWriter, VideoDetections
from mmdistill.video import index_video
from projects.demo.rendering.renderer import render_demo

BOXES_PER_FRAME = 3


def write_demo(root: Path) -> Path:
    """24 training and 8 validation clips with flow, and boxes drawn at random."""
    render_demo(root, num_train=24, num_val=8, seed=0)
    compute_flow = set_up_flow(FlowSettings(dict(type='DIS', preset='ultrafast')), [], worker=0)
    rng = np.random.default_rng(0)
    with DetectionWriter(root / 'detections.h5', classes=[f'thing{k}' for k in range(9)]) as writer:
        for path in sorted(root.glob('*/videos/*.MP4')):
            num_frames = index_video(path).num_frames
            result = path.parents[1] / 'flow_frames' / path.stem
            result.parent.mkdir(exist_ok=True)
            compute_flow(Job(path.stem, path, result, num_frames), lambda frames: None)
            writer.write(path.stem, _random_boxes(num_frames, rng))
    return root


def _random_boxes(num_frames: int, rng: np.random.Generator) -> VideoDetections:
    boxes = num_frames * BOXES_PER_FRAME
    corners = rng.uniform(0, 60, (boxes, 2))
    return VideoDetections(
        width=128,
        height=96,
        num_frames=num_frames,
        stride=1,
        frames_F=np.arange(num_frames),
        offsets_F1=np.arange(num_frames + 1) * BOXES_PER_FRAME,
        boxes_M4=np.concatenate([corners, corners + 30], axis=1),
        scores_M=rng.uniform(0.1, 1, boxes),
        labels_M=rng.integers(0, 9, boxes),
    )
