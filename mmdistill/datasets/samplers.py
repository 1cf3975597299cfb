"""MMEngine's samplers, whose indices say with what a clip is to be augmented."""

import itertools
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler

from ..ranges import ONE_OR_MORE, SEED
from ..registry import DATA_SAMPLERS
from .clip_index import ClipIndex


@DATA_SAMPLERS.register_module()
class EpochSampler(DefaultSampler):
    """MMEngine's DefaultSampler, in the same order, for randomness by (seed, epoch, clip).

    Args:
        views: After so many epochs the augmentations are those of the first ones again, as a
            teacher cache needs it; the order of the clips goes on changing. None for never.
        augmentation_seed: Seed of the augmentations, where runs with several seeds are to share
            one teacher cache; None for the run's seed, which the order of the clips always has.
        kwargs: See DefaultSampler.
    """

    def __init__(
        self,
        *args: Any,
        views: int | None = None,
        augmentation_seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        ONE_OR_MORE.check_optional(views=views)
        SEED.check_optional(augmentation_seed=augmentation_seed)
        super().__init__(*args, **kwargs)
        self.views = views
        self.augmentation_seed = self.seed if augmentation_seed is None else augmentation_seed
        self._skip = 0

    def skip(self, num_clips: int) -> None:
        """Let the next pass begin so many clips (of this rank) further on, once."""
        self._skip = num_clips

    def __iter__(self) -> Iterator[int]:
        """The indices of this rank."""
        start, self._skip = self._skip, 0
        size = len(self.dataset)
        for index in itertools.islice(super().__iter__(), start, None):
            yield ClipIndex(index, self.augmentation_seed, self.epoch, size, self.views)


@DATA_SAMPLERS.register_module()
class EndlessSampler(InfiniteSampler):
    """MMEngine's InfiniteSampler, in the same order, for randomness by (seed, epoch, clip).

    An epoch is a pass of all ranks together over the data.

    Args:
        views: See `EpochSampler`.
        augmentation_seed: See `EpochSampler`.
        kwargs: See InfiniteSampler.
    """

    def __init__(
        self,
        *args: Any,
        views: int | None = None,
        augmentation_seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        ONE_OR_MORE.check_optional(views=views)
        SEED.check_optional(augmentation_seed=augmentation_seed)
        self.views = views
        self._augmentation_seed = augmentation_seed
        super().__init__(*args, **kwargs)

    def _infinite_indices(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed)
        seed = self.seed if self._augmentation_seed is None else self._augmentation_seed
        for epoch in itertools.count():
            order = torch.arange(self.size)
            if self.shuffle:
                order = torch.randperm(self.size, generator=generator)
            for index in order.tolist():
                yield ClipIndex(index, seed, epoch, self.size, self.views)
