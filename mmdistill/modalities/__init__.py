"""Modalities: how an input stream is read, moved with the clip's geometry and packed."""

from .audio import AudioModality
from .base import Modality, frames_at_own_rate, positions_at_own_rate
from .detections import DetectionModality, move_boxes
from .flow import FlowModality, mirror_flow
from .geometry import ClipGeometry
from .images import FrameFolder, ImageModality, move_image
from .rgb import RGBModality

__all__ = [
    'AudioModality',
    'ClipGeometry',
    'DetectionModality',
    'FlowModality',
    'FrameFolder',
    'ImageModality',
    'Modality',
    'RGBModality',
    'frames_at_own_rate',
    'mirror_flow',
    'move_boxes',
    'move_image',
    'positions_at_own_rate',
]
