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
from .scheduler import RunSummary, StageFailedError, run_chain, run_stages
from .stage import OneFile, Stage, is_finished

__all__ = [
    'DEMO_MODELS',
    'DemoSettings',
    'LineDisplay',
    'LiveDisplay',
    'OneFile',
    'RunSummary',
    'Stage',
    'StageFailedError',
    'data_stages',
    'evidence_stages',
    'is_finished',
    'make_display',
    'process_tree_bytes',
    'report_stage',
    'run_chain',
    'run_stages',
    'training_stages',
]
