"""Chains of tools: stages as subprocesses, finished ones skipped, memory and time measured."""

from .demo_chain import (
    DEMO_MODELS,
    DemoSettings,
    data_stages,
    evidence_stages,
    report_stage,
    training_stages,
)
from .display import LineDisplay, LiveDisplay, make_display
from .memory import process_tree_bytes
from .results_chain import ResultsSettings, measured_seeds, results_stages, row_config
from .results_rows import BASELINE, ResultRow, read_rows, select_rows
from .scheduler import RunSummary, StageFailedError, run_chain, run_stages
from .stage import OneFile, Stage, finished_runs, is_finished

__all__ = [
    'BASELINE',
    'DEMO_MODELS',
    'DemoSettings',
    'LineDisplay',
    'LiveDisplay',
    'OneFile',
    'ResultRow',
    'ResultsSettings',
    'RunSummary',
    'Stage',
    'StageFailedError',
    'data_stages',
    'evidence_stages',
    'finished_runs',
    'is_finished',
    'make_display',
    'measured_seeds',
    'process_tree_bytes',
    'read_rows',
    'report_stage',
    'results_stages',
    'row_config',
    'run_chain',
    'run_stages',
    'select_rows',
    'training_stages',
]
