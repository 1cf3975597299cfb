"""A published model as MMAction2 itself runs it: a config for `inference_recognizer`."""

import copy
from typing import Any

from .published import PublishedModel, types_of

OURS = 'mmdistill.'


def stock_config(model: PublishedModel) -> dict[str, Any]:
    """A config with the recognizer and a test pipeline of MMAction2's own steps.

    A recognizer with a head per task is registered by mmdistill, which the config then imports;
    any other needs MMAction2 alone.
    """
    steps = copy.deepcopy([*model.clip['geometry'], *model.clip['transforms']])
    pipeline = [
        dict(type='DecordInit'),
        model.clip['sample'],
        dict(type='DecordDecode'),
        *steps,
        dict(type='FormatShape', input_format=model.clip['input_format']),
        dict(type='PackActionInputs'),
    ]
    cfg = dict(
        model=copy.deepcopy(model.recognizer),
        default_scope='mmaction',
        test_pipeline=pipeline,
        test_dataloader=dict(
            batch_size=1,
            num_workers=0,
            dataset=dict(
                type='VideoDataset',
                ann_file='videos.txt',
                data_prefix=dict(video=''),
                pipeline=pipeline,
                test_mode=True,
            ),
        ),
        test_cfg=dict(type='TestLoop'),
        test_evaluator=dict(type='AccMetric'),
    )
    if any(str(name).startswith(OURS) for name in types_of(cfg['model'])):
        cfg['custom_imports'] = dict(imports=['mmdistill'])
    return cfg
