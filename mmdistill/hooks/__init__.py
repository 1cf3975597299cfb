"""Hooks: when the teacher runs, and how its answer reaches the student."""

from .. import compat_backends, compat_warnings
from .distillation_diagnostics_hook import DistillationDiagnosticsHook
from .distillation_loss_hook import DistillationLossHook
from .holdout import HoldoutLogits, collect_holdout, holdout_report
from .rank_buffers_hook import RankBuffersHook
from .rng_state_hook import RngStateHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .teacher_weighting_hook import TeacherWeightingHook
from .visual_report_hook import VisualReportHook

__all__ = [
    'DistillationDiagnosticsHook',
    'DistillationLossHook',
    'HoldoutLogits',
    'RankBuffersHook',
    'RngStateHook',
    'SafeCheckpointHook',
    'TeacherWeightingHook',
    'VisualReportHook',
    'collect_holdout',
    'holdout_report',
]

compat_backends.name_images_for_mlflow()
compat_warnings.spare_unused_file_client()
