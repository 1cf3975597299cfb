"""Models: teacher, weightings, student, and the heads and backbones that MMAction2 lacks."""

from .. import compat
from .detection_encoder import DetectionEncoder
from .detection_head import DetectionFeatureHead
from .detector import FrameDetections, FrameDetector
from .detector_backbone import DetectionInputs, DetectorBackbone
from .expert import Expert
from .multitask_head import MultitaskHead
from .student import StudentRecognizer
from .teacher import MultimodalTeacher, TeacherOutput
from .weighting import (
    FixedWeighting,
    SampleSoftminWeighting,
    SoftminWeighting,
    UniformWeighting,
    Weighting,
    fuse_logits,
    softmin_weights,
)

__all__ = [
    'DetectionEncoder',
    'DetectionFeatureHead',
    'DetectionInputs',
    'DetectorBackbone',
    'Expert',
    'FixedWeighting',
    'FrameDetections',
    'FrameDetector',
    'MultimodalTeacher',
    'MultitaskHead',
    'SampleSoftminWeighting',
    'SoftminWeighting',
    'StudentRecognizer',
    'TeacherOutput',
    'UniformWeighting',
    'Weighting',
    'fuse_logits',
    'softmin_weights',
]

compat.renew_fcn_classifier()
