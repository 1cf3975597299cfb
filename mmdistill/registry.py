"""The registries that mmdistill fills: children of MMAction2's, plus two of its own.

`locations` lets MMEngine import the modules that register the parts, so a config writes
`type='mmdistill.X'` and needs no `custom_imports`. `default_scope` stays `mmaction`.
"""

import contextlib

from mmaction.registry import DATA_SAMPLERS as MMACTION_DATA_SAMPLERS
from mmaction.registry import DATASETS as MMACTION_DATASETS
from mmaction.registry import HOOKS as MMACTION_HOOKS
from mmaction.registry import METRICS as MMACTION_METRICS
from mmaction.registry import MODELS as MMACTION_MODELS
from mmaction.registry import TRANSFORMS as MMACTION_TRANSFORMS
from mmengine.registry import Registry

MODELS = Registry(
    'model',
    parent=MMACTION_MODELS,
    scope='mmdistill',
    locations=['mmdistill.models', 'mmdistill.losses'],
)
DATASETS = Registry(
    'dataset', parent=MMACTION_DATASETS, scope='mmdistill', locations=['mmdistill.datasets']
)
DATA_SAMPLERS = Registry(
    'data sampler',
    parent=MMACTION_DATA_SAMPLERS,
    scope='mmdistill',
    locations=['mmdistill.datasets'],
)
TRANSFORMS = Registry(
    'transform', parent=MMACTION_TRANSFORMS, scope='mmdistill', locations=['mmdistill.datasets']
)
HOOKS = Registry('hook', parent=MMACTION_HOOKS, scope='mmdistill', locations=['mmdistill.hooks'])
METRICS = Registry(
    'metric', parent=MMACTION_METRICS, scope='mmdistill', locations=['mmdistill.metrics']
)


class OwnRegistry(Registry):
    """Parts of a kind that MMAction2 has not: its scope, the default one, has no such registry."""

    def switch_scope_and_registry(
        self, scope: str | None
    ) -> contextlib.AbstractContextManager[Registry]:
        """As upstream, which would search in vain and warn of it."""
        return super().switch_scope_and_registry(
            self.scope if scope in (None, 'mmaction') else scope
        )


# How an input stream is read, moved and packed; a downstream project registers its own here.
MODALITIES = OwnRegistry('modality', scope='mmdistill', locations=['mmdistill.modalities'])
# How optical flow is computed from two frames (mmdistill extract-flow --estimator).
FLOW_ESTIMATORS = OwnRegistry(
    'flow estimator', scope='mmdistill', locations=['mmdistill.extraction']
)
