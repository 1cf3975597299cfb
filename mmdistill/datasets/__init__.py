"""Data sets: annotation files as their owners publish them, read into one kind of record."""

from . import transforms, video_steps
from .epic_kitchens import EpicKitchensDataset
from .holdout import holdout_groups
from .missing import ModalityDropout
from .multimodal import MultimodalDataset
from .samplers import EndlessSampler, EpochSampler
from .something import SomethingSomethingDataset
from .something_else import SomethingElseDataset

__all__ = [
    'EndlessSampler',
    'EpicKitchensDataset',
    'EpochSampler',
    'ModalityDropout',
    'MultimodalDataset',
    'SomethingElseDataset',
    'SomethingSomethingDataset',
    'holdout_groups',
    'transforms',
    'video_steps',
]
