"""Randomness by (seed, epoch, clip): the index of a clip says with what it is to be augmented.

The index travels from the sampler to whichever worker loads the clip, so nothing depends on the
number of workers, on whether they persist or how far ahead they load, on ranks, or on a resume.
"""

from typing import Any

from ..randomness import seeded


class ClipIndex(int):
    """An index into a data set that knows its seed and its augmentation epoch.

    It keeps them through the arithmetic of MMEngine's RepeatDataset and ConcatDataset; a clip that
    is repeated within an epoch gets another augmentation each time.

    Attributes:
        seed: The seed of the run.
        epoch: The augmentation epoch; repetitions count as epochs.
        size: Number of clips of the data set that it points into.
        views: Augmentation epochs begin anew after so many; None for never.
    """

    seed: int
    epoch: int
    size: int
    views: int | None

    def __new__(
        cls, value: int, seed: int = 0, epoch: int = 0, size: int = 1, views: int | None = None
    ) -> 'ClipIndex':
        """An int; see the class."""
        index = super().__new__(cls, value)
        index.seed, index.epoch, index.size, index.views = seed, epoch, size, views
        return index

    @property
    def view(self) -> int:
        """Which augmentation the clip gets."""
        return self.epoch % self.views if self.views else self.epoch

    def __mod__(self, length: int) -> 'ClipIndex':
        """In a data set of `length` clips that is repeated (RepeatDataset)."""
        repetition, value = divmod(int(self), length)
        epoch = self.epoch * max(self.size // length, 1) + repetition
        return ClipIndex(value, self.seed, epoch, length, self.views)

    def __sub__(self, offset: int) -> 'ClipIndex':
        """In a part that begins `offset` clips further on (ConcatDataset)."""
        return ClipIndex(int(self) - offset, self.seed, self.epoch, self.size, self.views)


class SeededClips:
    """Mixin of a data set: every draw of its pipeline is a function of (seed, epoch, clip) alone.

    An index that is a plain number, as other samplers give, leaves the draws to the process. What
    was drawn travels on the sample as `augmentation`, the number of the augmentation epoch.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Some transforms draw when they are built: ColorJitter the order of its steps.
        with seeded(0):
            super().__init__(*args, **kwargs)

    def __getitem__(self, index: int) -> Any:
        """The clip, after the pipeline."""
        if not isinstance(index, ClipIndex):
            return super().__getitem__(index)
        with seeded(index.seed, index.view, int(index)):
            clip = super().__getitem__(int(index))
        if isinstance(clip, dict) and 'data_samples' in clip:
            clip['data_samples'].set_metainfo(dict(augmentation=index.view))
        return clip
