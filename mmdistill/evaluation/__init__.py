"""Tables and pages for people: costs, the report of a user's models, bootstrap intervals."""

from ..metrics import Interval
from .bootstrap import paired_ece_interval, paired_mean_interval
from .cost import Cost, count_flops, count_params, measure_latency
from .predictions import aligned, best_classes, predictions, tasks_of
from .report_config import ReportConfig, ReportModel, read_report_config
from .report_data import best_detection, teacher_weights

__all__ = [
    'Cost',
    'Interval',
    'ReportConfig',
    'ReportModel',
    'aligned',
    'best_classes',
    'best_detection',
    'count_flops',
    'count_params',
    'measure_latency',
    'paired_ece_interval',
    'paired_mean_interval',
    'predictions',
    'read_report_config',
    'tasks_of',
    'teacher_weights',
]
