"""Data sets: annotation files as their owners publish them, read into one kind of record."""

from . import transforms
from .epic_kitchens import EpicKitchensDataset
from .holdout import holdout_groups
from .multimodal import MultimodalDataset

__all__ = ['EpicKitchensDataset', 'MultimodalDataset', 'holdout_groups', 'transforms']
