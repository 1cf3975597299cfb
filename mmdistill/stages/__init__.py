"""Chains of tools: stages as subprocesses, finished ones skipped, memory and time measured."""

from .display import LineDisplay, LiveDisplay, make_display
from .memory import process_tree_bytes
from .scheduler import RunSummary, StageFailedError, run_chain, run_stages
from .stage import OneFile, Stage, finished_runs, is_finished

__all__ = [
    'LineDisplay',
    'LiveDisplay',
    'OneFile',
    'RunSummary',
    'Stage',
    'StageFailedError',
    'finished_runs',
    'is_finished',
    'make_display',
    'process_tree_bytes',
    'run_chain',
    'run_stages',
]
