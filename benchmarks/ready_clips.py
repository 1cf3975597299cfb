"""Clips that are in memory already, so that a step is measured and not its loading."""

import numpy as np
import torch
from mmaction.structures import ActionDataSample

from mmdistill.labels import set_task_labels
from mmdistill.registry import DATASETS

NUM_BOXES = 10
SPARE = 8  # different clips are kept; a longer data set repeats them


@DATASETS.register_module()
class ReadyClips(torch.utils.data.Dataset):
    """Noise in the layout of `PackModalities`: frames uint8, boxes float32.

    Args:
        num_clips: Length.
        frames: T.
        pixels: Height and width.
        classes: Task to number of classes.
        views: Views of a clip.
        categories: Number of categories of the boxes.
    """

    def __init__(
        self,
        num_clips: int,
        frames: int,
        pixels: tuple[int, int],
        classes: dict[str, int],
        views: int = 1,
        categories: int = 9,
    ) -> None:
        self.num_clips = num_clips
        self.classes = classes
        rng = np.random.default_rng(0)
        self.clips = [
            dict(
                rgb=_frames(rng, (views, 3, frames, *pixels)),
                flow=_frames(rng, (views, 3, frames, *pixels)),
                obj=_boxes(rng, (views, frames, NUM_BOXES), categories),
            )
            for _ in range(min(SPARE, num_clips))
        ]
        self.metainfo: dict = {}

    def __len__(self) -> int:
        """Number of clips."""
        return self.num_clips

    def __getitem__(self, index: int) -> dict:
        """Inputs of all modalities, and labels."""
        sample = ActionDataSample(metainfo=dict(sample_id=f'clip{int(index)}'))
        set_task_labels(sample, {task: int(index) % k for task, k in self.classes.items()})
        return dict(inputs=dict(self.clips[index % len(self.clips)]), data_samples=sample)


def _frames(rng: np.random.Generator, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.from_numpy(rng.integers(0, 256, shape, dtype=np.uint8))


def _boxes(rng: np.random.Generator, shape: tuple[int, ...], num_categories: int) -> torch.Tensor:
    corners = np.sort(rng.uniform(0, 1, (*shape, 2, 2)), axis=-2).reshape(*shape, 4)
    scores = rng.uniform(0.3, 1, (*shape, 1))
    categories = rng.integers(0, num_categories, (*shape, 1))
    rows = np.concatenate([corners, scores, categories], axis=-1, dtype=np.float32)
    return torch.from_numpy(rows)
