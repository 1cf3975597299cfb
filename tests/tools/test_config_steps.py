"""Every config makes a training step and a test step on a few clips, at reduced sizes."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.logging import MessageHub

from mmdistill.compat import adapt_to_cpu
from mmdistill.config_tools import load_config
from mmdistill.hooks import DistillationLossHook
from mmdistill.models import MultimodalTeacher, StudentRecognizer
from mmdistill.registry import DATASETS, MODELS

ROOT = Path(__file__).parents[2]
CONFIGS = sorted([*ROOT.glob('configs/unimodal/*.py'), *ROOT.glob('configs/distill/*.py')])
FAST = (
    'tsm-mobilenetv2_ek100_rgbflowobj',
    'x3d-m_sthv2_rgbflowobj',
    'audioresnet_ek100_audio',
    'stlt_sthelse_obj',
)
NUM_CLIPS = 2
SMALL = dict(
    train=dict(resize=dict(scale=(56, 56))),
    test=dict(shorter_side=dict(scale=(-1, 64)), crop=dict(crop_size=56)),
)


@pytest.fixture(scope='session')
def something(tiny_data, tmp_path_factory):
    """The videos, flow and boxes of the tiny data set by the names of Something-Something V2."""
    root = tmp_path_factory.mktemp('something')
    for folder in ('videos', 'flow', 'labels'):
        (root / folder).mkdir()
    (root / 'detections.h5').symlink_to(tiny_data / 'detections.h5')
    videos = sorted(tiny_data.glob('*/videos/*.MP4'))
    for path in videos:
        (root / f'videos/{path.stem}.webm').symlink_to(path)
        (root / f'flow/{path.stem}').symlink_to(path.parents[1] / 'flow_frames' / path.stem)
    labels = {f'Doing something in way {i}': str(i) for i in range(174)}
    entries = [
        dict(id=path.stem, template=f'Doing [something] in way {7 * i}')
        for i, path in enumerate(videos)
    ]
    for name, content in (('labels', labels), ('train', entries), ('validation', entries)):
        (root / f'labels/{name}.json').write_text(json.dumps(content))
    return root


@pytest.fixture(scope='session')
def something_else(something, tmp_path_factory):
    """The same clips under numbers, as a compositional split, with boxes drawn by people."""
    root = tmp_path_factory.mktemp('something_else')
    splits = root / 'something_else/dataset_splits/compositional'
    for folder in (root / 'videos', root / 'flow', root / 'something_else/boxes', splits):
        folder.mkdir(parents=True)
    hand = dict(standard_category='hand', box2d=dict(x1=5, y1=5, x2=40, y2=50))
    thing = dict(standard_category='0000', box2d=dict(x1=30, y1=20, x2=90, y2=80))
    entries, annotations = json.loads((something / 'labels/train.json').read_text()), {}
    for number, entry in enumerate(entries, start=1):
        name, entry['id'] = entry['id'], str(number)
        (root / f'videos/{number}.webm').symlink_to(something / f'videos/{name}.webm')
        (root / f'flow/{number}').symlink_to(something / f'flow/{name}')
        annotations[str(number)] = [
            dict(name=f'{number}/{i:04d}.jpg', labels=[hand, thing]) for i in range(1, 200)
        ]
    labels = json.loads((something / 'labels/labels.json').read_text())
    labels = {name: int(number) for name, number in labels.items()}
    for name, content in (('labels', labels), ('train', entries), ('validation', entries)):
        (splits / f'{name}.json').write_text(json.dumps(content))
    (root / 'something_else/boxes/part1.json').write_text(json.dumps(annotations))
    return root


@pytest.fixture
def reduced(tiny_data, something, something_else, monkeypatch):
    """Read a config with fewer and smaller frames, on data that is there."""
    monkeypatch.chdir(ROOT)

    def read(path):
        roots = dict(ek100=tiny_data, sthv2=something, sthelse=something_else)
        root = roots[path.stem.split('_')[1]]
        cfg = adapt_to_cpu(load_config(path, dict(data_root=f'{root}/')))
        for stage in ('train', 'test'):
            dataset = cfg[f'{stage}_dataloader'].dataset
            dataset.split = None
            dataset.pipeline.sample.clip_len = 8
            for step, change in SMALL[stage].items():
                dataset.pipeline.load.geometry[step].update(change)
        return cfg

    return read


def batch_of(cfg, stage):
    dataset = DATASETS.build(cfg[f'{stage}_dataloader'].dataset)
    return pseudo_collate([dataset[i] for i in range(NUM_CLIPS)])


def build(model):
    for expert in model.get('experts', {}).values():
        expert.checkpoint = None
    return MODELS.build(model)


@pytest.mark.parametrize(
    'path',
    [pytest.param(path, marks=() if path.stem in FAST else pytest.mark.slow) for path in CONFIGS],
    ids=lambda path: path.stem,
)
def test_a_step(path, reduced):
    cfg = reduced(path)
    model = build(cfg.model)
    if not isinstance(model, MultimodalTeacher):
        model.init_weights()
        model.train()
        batch = batch_of(cfg, 'train')
        if isinstance(model, StudentRecognizer):
            hook = DistillationLossHook()
            # What the holdout would say is of no interest here.
            weighting = dict(type='mmdistill.UniformWeighting')
            hook.teacher = build({**cfg.teacher, 'weighting': weighting})
            hub = MessageHub.get_instance('steps')
            runner = SimpleNamespace(model=model, iter=0, max_iters=1, message_hub=hub)
            hook.before_train_iter(runner, 0, batch)
        losses = model(**model.data_preprocessor(batch, True), mode='loss')
        total, logged = model.parse_losses(losses)
        total.backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        assert gradients and all(grad.isfinite().all() for grad in gradients)
        assert isinstance(model, StudentRecognizer) == any('soft_target' in key for key in logged)
    else:
        for weighting in model.weightings.values():
            weighting.fit(torch.zeros(1, 3, 2), torch.zeros(1, dtype=torch.long))
    [score, *_] = [s.pred_score for s in model.eval().test_step(batch_of(cfg, 'test'))]
    expected = dict(verb=97, noun=300) if 'ek100' in path.stem else dict(action=174)
    found = {k: len(v) for k, v in score.items()} if isinstance(score, dict) else len(score)
    assert found == expected or found == expected.get('action')
