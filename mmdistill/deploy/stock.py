"""A published model as MMAction2 itself runs it: a config for `inference_recognizer`."""

import copy
from typing import Any

from .described import PublishedModel, values_of

OURS = 'mmdistill.'


def stock_config(model: PublishedModel) -> dict[str, Any]:
    """A config with the recognizer and a test pipeline of MMAction2's own steps.

    A recognizer with a head per task is registered by mmdistill, which the config then imports;
    any other needs MMAction2 alone.
    """
    clip = copy.deepcopy(model.clip)
    steps = [*clip['geometry'], *clip['modality'].get('transforms', [])]
    pipeline = [
        dict(type='DecordInit'),
        stock_sample(clip),
        dict(type='DecordDecode'),
        *steps,
        dict(type='FormatShape', input_format=clip['modality'].get('input_format', 'NCTHW')),
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
    if any(str(name).startswith(OURS) for name in values_of('type', cfg['model'])):
        cfg['custom_imports'] = dict(imports=['mmdistill'])
    return cfg


def stock_sample(clip: dict[str, Any]) -> dict[str, Any]:
    """The sampling of a clip as one of MMAction2's steps.

    A student that reads fewer frames than are sampled reads them evenly spaced over the same span.
    """
    sample, wanted = clip['sample'], clip['modality'].get('clip_len')
    if wanted is None or wanted == sample.get('clip_len', 1):
        return sample
    if sample['type'] != 'SampleFrames' or wanted < 2:
        raise ValueError(f'MMAction2 has no step that samples {wanted} frames of {sample}.')
    stride = (sample['clip_len'] - 1) * sample['frame_interval'] / (wanted - 1)
    return dict(sample, clip_len=wanted, frame_interval=max(1, round(stride)))
