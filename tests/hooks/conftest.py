"""A distillation run that takes a second: random clips, two experts, a tiny student."""

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.runner import Runner

from mmdistill.labels import set_task_labels
from mmdistill.registry import DATASETS, MODELS

CLASSES = dict(verb=4, noun=5)


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


@pytest.fixture
def distillation(tmp_path, recognizer_config):
    """Build the config of a run; keyword arguments replace its entries."""
    for name in ('rgb', 'flow'):
        model = MODELS.build(recognizer_config())
        torch.nn.init.normal_(model.cls_head.heads.verb.fc_cls.weight, std=1.0)
        torch.save(dict(state_dict=model.state_dict()), tmp_path / f'{name}.pth')

    def loader(num_clips, shuffle):
        return dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=shuffle),
            dataset=dict(type='mmdistill.RandomClips', num_clips=num_clips),
        )

    def build(**changes):
        cfg = dict(
            default_scope='mmaction',
            work_dir=str(tmp_path / 'run'),
            experiment_name='test',
            model=dict(
                type='mmdistill.StudentRecognizer',
                recognizer=recognizer_config(),
                losses=dict(soft_target=dict(type='mmdistill.SoftTargetLoss')),
            ),
            teacher=dict(
                type='mmdistill.MultimodalTeacher',
                experts={
                    name: dict(model=recognizer_config(), checkpoint=str(tmp_path / f'{name}.pth'))
                    for name in ('rgb', 'flow')
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

    return build


@pytest.fixture
def train():
    """Run a config to its end; returns the runner."""

    def run(cfg):
        config = Config(cfg)
        config.experiment_name = f'test_{torch.randint(1 << 60, ()).item()}'
        runner = Runner.from_cfg(config)
        runner.train()
        return runner

    return run
