"""Multimodal distillation for MMAction2: several modalities teach, an RGB model is deployed.

A map of the rooms:

| room | what is in it |
|---|---|
| `registry` | the registries that configs fill: `type='mmdistill.X'` |
| `compat` | repairs of known upstream faults, applied by this import |
| `labels`, `config_tools` | labels on data samples; configs as the tools read them |
| `geometry`, `sampling`, `joint_actions` | crops, sampled frames, verb + noun: NumPy alone |
| `checkpoints` | the one way in which they are read, as weights only |
| `resume`, `runner` | which one a run goes on from; the Runner that looks at it first |
| `randomness` | the generators together: seeded for a while, saved, restored |
| `user_errors` | what the user can mend becomes one line on the command line |
| `modalities` | how an input stream is read, moved and packed |
| `datasets` | annotation files as their owners publish them, read into records |
| `extraction` | optical flow, detections and sound from video, ahead of training |
| `models` | teacher, weighting, student, multi-task and detection heads |
| `losses` | distillation losses: a function and a thin module each |
| `cache` | the experts' logits on disk, in place of the experts |
| `files` | files that are there as a whole or not at all |
| `hooks` | when the teacher speaks and what is stored beside the weights |
| `metrics` | accuracy per task and calibration |
| `deploy` | the student published, predicting, exported; `load_model` |
| `evaluation` | comparisons, costs, tables and pages for people |
| `stages` | chains of tools: what is finished is skipped |
| `cli`, `commands` | the console command, a module per subcommand |
| `scaffold` | a new project over somebody's own files |
| `config_paths`, `extras` | where a config's files are; optional dependencies |

Importing the package loads none of the rooms: MMEngine does so on the first look-up in a registry.
"""

from importlib.util import find_spec
from typing import Any

__version__ = '0.2.0'

# Predicting with an exported student needs neither: then there is nothing to be repaired.
if find_spec('torch') and find_spec('mmengine'):
    from . import compat

    compat.apply()


def __getattr__(name: str) -> Any:
    """`mmdistill.load_model`, whose room is loaded when it is asked for."""
    if name == 'load_model':
        from .deploy import load_model

        return load_model
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
