"""Tables and pages for people: costs, report.json, the HTML page, bootstrap intervals."""

from ..metrics import Interval
from .bootstrap import paired_ece_interval, paired_mean_interval
from .cost import Cost, count_flops, count_params, measure_latency
from .html import render_html
from .predictions import aligned, best_classes, predictions, tasks_of
from .report_data import RowSource, best_detection, build_row, teacher_weights

__all__ = [
    'Cost',
    'Interval',
    'RowSource',
    'aligned',
    'best_classes',
    'best_detection',
    'build_row',
    'count_flops',
    'count_params',
    'measure_latency',
    'paired_ece_interval',
    'paired_mean_interval',
    'predictions',
    'render_html',
    'tasks_of',
    'teacher_weights',
]
