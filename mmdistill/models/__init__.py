"""Models: teacher, weightings, student, and the heads and backbones that MMAction2 lacks."""

from typing import Any

from .. import compat_heads
from ..extras import require
from .calibrated_weighting import CalibratedWeighting, expert_temperatures
from .detection_encoder import DetectionEncoder
from .detection_head import DetectionFeatureHead
from .detector_backbone import DetectionInputs, DetectorBackbone
from .ema_teacher import EMATeacher
from .expert import Expert
from .extractor import Extractor
from .fusion_head import FusionHead
from .fusion_recognizer import FusionRecognizer
from .holdout_weighting import LearnedWeighting, SoftminWeighting, learned_scores
from .hugging_face import HuggingFacePreprocessor, HuggingFaceVideo, NamedClassesHead
from .multitask_head import MultitaskHead
from .omnivorous import OmnivorousRecognizer
from .sample_weighting import (
    ConfidenceAwareWeighting,
    EntropyWeighting,
    SampleSoftminWeighting,
    confidence_weights,
)
from .student import StudentRecognizer
from .teacher import MultimodalTeacher
from .teacher_output import TeacherOutput
from .token_fusion import TokenFusion
from .weighting import (
    FixedWeighting,
    UniformWeighting,
    Weighting,
    fuse_logits,
    softmin_weights,
)

__all__ = [
    'CalibratedWeighting',
    'ConfidenceAwareWeighting',
    'DetectionEncoder',
    'DetectionFeatureHead',
    'DetectionInputs',
    'DetectorBackbone',
    'EMATeacher',
    'EntropyWeighting',
    'Expert',
    'Extractor',
    'FixedWeighting',
    'FusionHead',
    'FusionRecognizer',
    'HuggingFacePreprocessor',
    'HuggingFaceVideo',
    'LearnedWeighting',
    'MultimodalTeacher',
    'MultitaskHead',
    'NamedClassesHead',
    'OmnivorousRecognizer',
    'SampleSoftminWeighting',
    'SoftminWeighting',
    'StudentRecognizer',
    'TeacherOutput',
    'TokenFusion',
    'UniformWeighting',
    'Weighting',
    'confidence_weights',
    'expert_temperatures',
    'fuse_logits',
    'learned_scores',
    'softmin_weights',
]


def __getattr__(name: str) -> Any:
    """The parts that need MMDetection and compiled operators, imported once they are asked for."""
    if name in ('FrameDetections', 'FrameDetector'):
        require('detect', 'mmdet', 'mmcv._ext')
        from . import detector

        return getattr(detector, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


compat_heads.renew_fcn_classifier()
compat_heads.train_in_bfloat16()
