"""Accuracy and calibration: pure functions on scores and labels, and thin registered metrics."""

from .calibration import Calibration, calibration_errors, reliability_by_task
from .calibration_error import (
    ReliabilityBins,
    adaptive_ece,
    brier_score,
    classwise_ece,
    expected_calibration_error,
    negative_log_likelihood,
    reliability_bins,
)
from .dump_scores import DumpScores, load_scores, save_scores
from .epic_kitchens import JointActions, best_joint_actions, joint_log_probs
from .score_arrays import log_softmax
from .score_table import ScoreTable
from .task_accuracy import TaskAccuracy, label_ranks, task_accuracies, top_k_accuracy

__all__ = [
    'Calibration',
    'DumpScores',
    'JointActions',
    'ReliabilityBins',
    'ScoreTable',
    'TaskAccuracy',
    'adaptive_ece',
    'best_joint_actions',
    'brier_score',
    'calibration_errors',
    'classwise_ece',
    'expected_calibration_error',
    'joint_log_probs',
    'label_ranks',
    'load_scores',
    'log_softmax',
    'negative_log_likelihood',
    'reliability_bins',
    'reliability_by_task',
    'save_scores',
    'task_accuracies',
    'top_k_accuracy',
]
