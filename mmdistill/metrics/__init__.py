"""Accuracy and calibration: pure functions on scores and labels, and thin registered metrics."""

from ..joint_actions import JointActions
from .bootstrap import Interval, interval_ends
from .calibration import (
    Calibration,
    calibration_errors,
    calibration_intervals,
    reliability_by_task,
)
from .calibration_error import (
    ReliabilityBins,
    adaptive_ece,
    area_under_risk_coverage,
    brier_score,
    classwise_ece,
    expected_calibration_error,
    negative_log_likelihood,
    overconfidence_share,
    reliability_bins,
)
from .dump_scores import DumpScores, load_scores, save_scores
from .epic_kitchens import best_joint_actions, joint_log_probs
from .score_arrays import log_softmax
from .score_table import ScoreTable
from .table_metrics import table_intervals, table_metrics
from .task_accuracy import (
    TaskAccuracy,
    accuracy_intervals,
    label_ranks,
    task_accuracies,
    top_k_accuracy,
)
from .temperature import divided_by_temperature, fit_temperature, fit_temperatures
from .views import ViewScore, reduce_views, score_views

__all__ = [
    'Calibration',
    'DumpScores',
    'Interval',
    'JointActions',
    'ReliabilityBins',
    'ScoreTable',
    'TaskAccuracy',
    'ViewScore',
    'accuracy_intervals',
    'adaptive_ece',
    'area_under_risk_coverage',
    'best_joint_actions',
    'brier_score',
    'calibration_errors',
    'calibration_intervals',
    'classwise_ece',
    'divided_by_temperature',
    'expected_calibration_error',
    'fit_temperature',
    'fit_temperatures',
    'interval_ends',
    'joint_log_probs',
    'label_ranks',
    'load_scores',
    'log_softmax',
    'negative_log_likelihood',
    'overconfidence_share',
    'reduce_views',
    'reliability_bins',
    'reliability_by_task',
    'save_scores',
    'score_views',
    'table_intervals',
    'table_metrics',
    'task_accuracies',
    'top_k_accuracy',
]
