"""Modalities: how an input stream is read, moved with the clip's geometry and packed."""

from ..geometry import ClipGeometry, move_image
from ..sampling import frames_at_own_rate, positions_at_own_rate
from .audio import AudioModality
from .base import Modality
from .detections import DetectionModality, move_boxes
from .flow import FlowModality, mirror_flow
from .hand_objects import EpicHandObjects, EpicObjectMasks
from .images import FrameFolder, ImageModality
from .layout_boxes import LayoutBoxes
from .packed_boxes import PackedBoxes
from .rgb import RGBModality
from .something_else import SomethingElseBoxes

__all__ = [
    'AudioModality',
    'ClipGeometry',
    'DetectionModality',
    'EpicHandObjects',
    'EpicObjectMasks',
    'FlowModality',
    'FrameFolder',
    'ImageModality',
    'LayoutBoxes',
    'Modality',
    'PackedBoxes',
    'RGBModality',
    'SomethingElseBoxes',
    'frames_at_own_rate',
    'mirror_flow',
    'move_boxes',
    'move_image',
    'positions_at_own_rate',
]
