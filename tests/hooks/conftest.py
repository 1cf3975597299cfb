"""A distillation run that takes a second: random clips, two experts, a tiny student."""

import functools

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config

from mmdistill.labels import set_task_labels
from mmdistill.registry import DATASETS, MODELS
from mmdistill.runner import CheckedRunner

CLASSES = dict(verb=4, noun=5)
EXPERTS = ('rgb', 'flow')


@DATASETS.register_module(name='RandomClips')
class RandomClips(torch.utils.data.Dataset):
    """Clips of noise, the same in every process; where 'some' have labels, the first three."""

    ann_file = 'random.csv'

    def __init__(self, num_clips, labelled=True, verbs=None, also=None):
        self.num_clips = num_clips
        self.labelled = labelled
        self.keys = ('rgb', 'flow', *([also] if also else ()))
        self.metainfo = dict(classes=dict(verb=verbs)) if verbs else {}

    def __len__(self):
        return self.num_clips

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        inputs = {
            key: torch.randint(0, 256, (1, 3, 2, 32, 32), generator=generator).byte()
            for key in self.keys
        }
        sample = ActionDataSample(metainfo=dict(sample_id=f'clip{index}'))
        if self.labelled is True or index < 3:
            set_task_labels(sample, {task: index % k for task, k in CLASSES.items()})
        return dict(inputs=inputs, data_samples=sample)


def write_experts(folder, recognizer_config):
    """The experts' checkpoints."""
    for name in EXPERTS:
        model = MODELS.build(recognizer_config())
        torch.nn.init.normal_(model.cls_head.heads.verb.fc_cls.weight, std=1.0)
        torch.save(dict(state_dict=model.state_dict()), folder / f'{name}.pth')


def distillation_config(folder, recognizer_config, **changes):
    """The config of a run beside its experts' checkpoints; keyword arguments replace entries."""

    def loader(num_clips, shuffle):
        return dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=shuffle),
            dataset=dict(type='mmdistill.RandomClips', num_clips=num_clips),
        )

    cfg = dict(
        default_scope='mmaction',
        work_dir=str(folder / 'run'),
        experiment_name='test',
        model=dict(
            type='mmdistill.StudentRecognizer',
            recognizer=recognizer_config(),
            losses=dict(soft_target=dict(type='mmdistill.SoftTargetLoss')),
        ),
        teacher=dict(
            type='mmdistill.MultimodalTeacher',
            experts={
                name: dict(model=recognizer_config(), checkpoint=str(folder / f'{name}.pth'))
                for name in EXPERTS
            },
            weighting=dict(type='mmdistill.SoftminWeighting', temperature=0.5),
        ),
        train_dataloader=loader(6, shuffle=True),
        holdout_dataloader=loader(5, shuffle=False),
        train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
        custom_hooks=[dict(type='mmdistill.DistillationLossHook')],
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
        randomness=dict(seed=0),
    )
    cfg.update(changes)
    return {key: value for key, value in cfg.items() if value is not None}


@pytest.fixture
def distillation(tmp_path, recognizer_config):
    """Build the config of a run; keyword arguments replace its entries."""
    write_experts(tmp_path, recognizer_config)
    return functools.partial(distillation_config, tmp_path, recognizer_config)


@pytest.fixture
def train():
    """Run a config to its end; returns the runner."""

    def run(cfg):
        config = Config(cfg)
        config.experiment_name = f'test_{torch.randint(1 << 60, ()).item()}'
        runner = CheckedRunner.from_cfg(config)
        runner.train()
        return runner

    return run
