"""Models: teacher, weightings, student, and the heads and backbones that MMAction2 lacks."""

from .. import compat_heads
from .detection_encoder import DetectionEncoder
from .detection_head import DetectionFeatureHead
from .detector import FrameDetections, FrameDetector
from .detector_backbone import DetectionInputs, DetectorBackbone
from .expert import Expert
from .holdout_weighting import LearnedWeighting, SoftminWeighting, learned_scores
from .multitask_head import MultitaskHead
from .sample_weighting import (
    ConfidenceAwareWeighting,
    EntropyWeighting,
    SampleSoftminWeighting,
    confidence_weights,
)
from .student import StudentRecognizer
from .teacher import MultimodalTeacher
from .teacher_output import TeacherOutput
from .weighting import (
    FixedWeighting,
    UniformWeighting,
    Weighting,
    fuse_logits,
    softmin_weights,
)

__all__ = [
    'ConfidenceAwareWeighting',
    'DetectionEncoder',
    'DetectionFeatureHead',
    'DetectionInputs',
    'DetectorBackbone',
    'EntropyWeighting',
    'Expert',
    'FixedWeighting',
    'FrameDetections',
    'FrameDetector',
    'LearnedWeighting',
    'MultimodalTeacher',
    'MultitaskHead',
    'SampleSoftminWeighting',
    'SoftminWeighting',
    'StudentRecognizer',
    'TeacherOutput',
    'UniformWeighting',
    'Weighting',
    'confidence_weights',
    'fuse_logits',
    'learned_scores',
    'softmin_weights',
]

compat_heads.renew_fcn_classifier()
compat_heads.train_in_bfloat16()
