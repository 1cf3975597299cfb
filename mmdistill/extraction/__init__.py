"""Offline extraction of what teachers see and hear besides RGB: flow, detections, sound.

`detections` is imported by its own name, because it brings in all of MMDetection.
"""

from .flow import FlowSettings
from .flow_estimators import DIS, TVL1
from .jobs import Job, RunReport, run_jobs
from .raft import RAFT

__all__ = [
    'DIS',
    'RAFT',
    'TVL1',
    'FlowSettings',
    'Job',
    'RunReport',
    'run_jobs',
]
