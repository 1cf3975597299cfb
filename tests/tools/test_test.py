"""tools/test.py on a toy model: outputs, bad input, two processes, metrics from the dump."""

import hashlib
import importlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from programs import load_program

from mmdistill.metrics import divided_by_temperature, load_scores, table_metrics

ROOT = Path(__file__).parents[2]

PARTS = """
import torch
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement

from mmdistill.registry import DATASETS, MODELS


@DATASETS.register_module()
class ToyViews(torch.utils.data.Dataset):
    def __init__(self, size):
        generator = torch.Generator().manual_seed(0)
        self.views = torch.randn(size, 3, 6, generator=generator)
        self.labels = torch.randint(4, (size, 2), generator=generator)

    def __len__(self):
        return len(self.views)

    def __getitem__(self, i):
        sample = ActionDataSample(
            metainfo=dict(
                sample_id=f's{i}', group=f'v{i // 2}', unseen=i % 3 == 0,
                tail_verb=i % 2 == 0, tail_noun=i % 5 == 0,
            )
        )
        verb, noun = self.labels[i].split(1)
        sample.set_field(BaseDataElement(verb=verb, noun=noun), 'gt_labels')
        return dict(inputs=self.views[i], data_samples=sample)


@MODELS.register_module()
class ToyRecognizer(BaseModel):
    def __init__(self, cls_head):
        super().__init__()
        self.cls_head = MODELS.build(cls_head)

    def extract_feat(self, inputs, test_mode=False):
        return torch.stack(inputs).flatten(0, 1), {}

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return self.cls_head.predict(self.extract_feat(inputs)[0], data_samples)
"""

CONFIG = """
custom_imports = dict(imports=['toy_parts'])
default_scope = 'mmaction'
load_from = 'where/training/started.pth'
model = dict(
    type='mmdistill.ToyRecognizer',
    cls_head=dict(
        type='mmdistill.MultitaskHead',
        heads=dict(
            verb=dict(type='I3DHead', num_classes=4, in_channels=6, spatial_type=None),
            noun=dict(type='I3DHead', num_classes=5, in_channels=6, spatial_type=None),
        ),
    ),
)
test_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='mmdistill.ToyViews', size=7),
)
test_evaluator = [
    dict(type='mmdistill.TaskAccuracy', scores='logits'),
    dict(type='mmdistill.Calibration', scores='logits'),
]
test_cfg = dict(type='TestLoop')
"""

TEACHER = """
_base_ = 'toy.py'
expert = dict(model=_base_.model, checkpoint='best.pth')
model = dict(
    _delete_=True,
    type='mmdistill.MultimodalTeacher',
    experts=dict(rgb=expert, flow=expert),
    weighting=dict(type='mmdistill.UniformWeighting'),
)
"""


@pytest.fixture(scope='module')
def tool():
    return load_program('tools/test.py')


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A folder with a config, its parts and a checkpoint; the current folder of the test."""
    (tmp_path / 'toy_parts.py').write_text(PARTS)
    (tmp_path / 'toy.py').write_text(CONFIG)
    generator = torch.Generator().manual_seed(1)
    state = {}
    for task, num_classes in (('verb', 4), ('noun', 5)):
        prefix = f'cls_head.heads.{task}.fc_cls'
        state[f'{prefix}.weight'] = torch.randn(num_classes, 6, generator=generator)
        state[f'{prefix}.bias'] = torch.randn(num_classes, generator=generator)
    torch.save(dict(state_dict=state, meta={}), tmp_path / 'best.pth')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, 'toy_parts', raising=False)
    for registry in ('DATASETS', 'MODELS'):
        parts = getattr(importlib.import_module('mmdistill.registry'), registry)._module_dict
        for name in ('ToyViews', 'ToyRecognizer'):
            monkeypatch.delitem(parts, name, raising=False)
    return tmp_path


def test_out_holds_the_metrics_and_what_they_were_measured_on(tool, toy):
    tool.main(['toy.py', 'best.pth', '--out', 'results/metrics.json'])
    result = json.loads((toy / 'results/metrics.json').read_text())
    assert result['num_samples'] == 7
    assert result['config'] == 'toy.py'
    digest = hashlib.sha256((toy / 'best.pth').read_bytes()).hexdigest()
    assert result['checkpoint_sha256'] == digest
    assert {'torch', 'mmengine', 'mmcv', 'mmdet', 'mmaction2', 'mmdistill'} <= set(
        result['versions']
    )
    assert [path.name for path in (toy / 'results').iterdir()] == ['metrics.json']

    state = torch.load(toy / 'best.pth')['state_dict']
    data = sys.modules['toy_parts'].ToyViews(7)
    hits = {}
    for t, task in enumerate(('verb', 'noun')):
        prefix = f'cls_head.heads.{task}.fc_cls'
        logits = data.views @ state[f'{prefix}.weight'].T + state[f'{prefix}.bias']
        hits[task] = logits.mean(1).argmax(1) == data.labels[:, t]
        assert result['metrics'][f'acc/{task}/top1'] == pytest.approx(hits[task].double().mean())
    action = (hits['verb'] & hits['noun']).double()
    assert result['metrics']['acc/action/top1'] == pytest.approx(action.mean().item())
    assert result['metrics']['acc/unseen/action/top1'] == pytest.approx(action[::3].mean().item())
    assert 'calibration/action/nll' in result['metrics']


def test_dump_holds_every_view_and_gives_the_same_metrics(tool, toy):
    tool.main(['toy.py', 'best.pth', '--out', 'plain.json'])
    tool.main(['toy.py', 'best.pth', '--out', 'metrics.json', '--dump', 'results/scores.npz'])
    table = load_scores('results/scores.npz')
    assert table.sample_ids.tolist() == [f's{i}' for i in range(7)]
    assert table.groups.tolist() == ['v0', 'v0', 'v1', 'v1', 'v2', 'v2', 'v3']
    shapes = {task: x.shape for task, x in table.scores.items()}
    assert shapes == {'verb': (7, 3, 4), 'noun': (7, 3, 5)}
    assert table.scores['verb'].dtype == np.float32
    assert set(table.flags) == {'unseen', 'tail_verb', 'tail_noun'}

    metrics = json.loads(Path('metrics.json').read_text())['metrics']
    assert load_program('tools/analysis/rescore.py').rescore(table) == metrics
    assert json.loads(Path('plain.json').read_text())['metrics'] == pytest.approx(metrics, rel=1e-5)


def test_a_teacher_needs_no_checkpoint_and_dumps_its_fused_logits(tool, toy):
    tool.main(['toy.py', 'best.pth', '--out', 'expert.json'])
    (toy / 'teacher.py').write_text(TEACHER)
    tool.main(['teacher.py', '--out', 'teacher.json', '--dump', 'teacher.npz'])
    # Two times the same expert: their uniform fusion says what one of them says.
    expert, teacher = (json.loads(Path(f'{n}.json').read_text()) for n in ('expert', 'teacher'))
    assert teacher['metrics'] == pytest.approx(expert['metrics'], rel=1e-5)
    assert teacher['checkpoint_sha256'] is None
    assert load_scores('teacher.npz').scores['noun'].shape == (7, 1, 5)


def test_temperatures_are_used_only_when_asked(tool, toy, capsys):
    found = dict(verb=2.0, noun=0.5)
    (toy / 'fitted.json').write_text(json.dumps(dict(temperatures=found)))
    (toy / 'asks.py').write_text(f"_base_ = 'toy.py'\ntemperatures = {found}\n")
    torch.save(torch.load('best.pth') | dict(meta=dict(temperatures=found)), 'published.pth')
    tool.main(['toy.py', 'published.pth', '--out', 'plain.json', '--dump', 'plain.npz'])
    plain = json.loads(Path('plain.json').read_text())
    assert plain['temperatures'] == {} and not plain['holdout']
    scaled = table_metrics(divided_by_temperature(load_scores('plain.npz'), found))
    for arguments in (
        ['toy.py', 'published.pth', '--temperatures'],
        ['toy.py', 'best.pth', '--temperatures', 'fitted.json'],
        ['asks.py', 'best.pth'],
    ):
        tool.main([*arguments, '--out', 'scaled.json'])
        result = json.loads(Path('scaled.json').read_text())
        assert result['temperatures'] == found
        assert result['metrics'] == pytest.approx(scaled, rel=1e-5)
        assert result['metrics'] != pytest.approx(plain['metrics'], rel=1e-3)
        with pytest.raises(SystemExit) as error:
            tool.main([*arguments, '--dump', 'scaled.npz'])
        assert 'dump holds' in f'{error.value}{capsys.readouterr().err}'


def test_the_holdout_has_its_clips_and_the_pipeline_of_the_test(tool, toy):
    holdout = "holdout_dataloader = dict(dataset=dict(type='mmdistill.ToyViews', size=5))"
    (toy / 'held.py').write_text(f"_base_ = 'toy.py'\n{holdout}\n")
    tool.main(['held.py', 'best.pth', '--holdout', '--out', 'held.json', '--dump', 'held.npz'])
    assert json.loads(Path('held.json').read_text())['holdout']
    assert len(load_scores('held.npz').sample_ids) == 5
    with pytest.raises(SystemExit, match='no holdout_dataloader'):
        tool.main(['toy.py', 'best.pth', '--holdout'])


def test_rescore_prints_json(tool, toy, capsys):
    tool.main(['toy.py', 'best.pth', '--dump', 'scores.npz'])
    capsys.readouterr()
    load_program('tools/analysis/rescore.py').main(['scores.npz', '--topk', '1', '2'])
    assert {'acc/verb/top2', 'calibration/noun/ece'} <= set(json.loads(capsys.readouterr().out))
    with pytest.raises(SystemExit, match='no dump missing.npz'):
        load_program('tools/analysis/rescore.py').main(['missing.npz'])


def test_a_missing_checkpoint_is_one_line_that_names_those_there(tool, toy):
    with pytest.raises(SystemExit, match=r'no checkpoint epoch_9.pth \(. holds best.pth\)'):
        tool.main(['toy.py', 'epoch_9.pth'])
    with pytest.raises(SystemExit, match='holds no'):
        tool.main(['toy.py', 'nowhere/epoch_9.pth'])
    with pytest.raises(SystemExit, match='needs a checkpoint'):
        tool.main(['toy.py'])


def test_a_checkpoint_of_another_model_is_refused(tool, toy):
    checkpoint = torch.load('best.pth')
    checkpoint['state_dict']['backbone.extra'] = checkpoint['state_dict'].pop(
        'cls_head.heads.noun.fc_cls.bias'
    )
    torch.save(checkpoint, 'other.pth')
    with pytest.raises(SystemExit, match='does not fit the model of') as error:
        tool.main(['toy.py', 'other.pth'])
    assert 'backbone.extra' in str(error.value)
    assert 'cls_head.heads.noun.fc_cls.bias' in str(error.value)
    assert '\n' not in str(error.value)


def test_a_dump_of_averaged_probabilities_is_refused(tool, toy):
    options = ['--cfg-options', 'model.cls_head.average_clips=prob']
    with pytest.raises(SystemExit, match='model.cls_head averages probabilities'):
        tool.main(['toy.py', 'best.pth', '--dump', 'scores.npz', *options])
    text = CONFIG.replace("'mmdistill.TaskAccuracy', scores='logits'", "'AccMetric'")
    (toy / 'acc.py').write_text(text)
    with pytest.raises(SystemExit, match='AccMetric cannot read'):
        tool.main(['acc.py', 'best.pth', '--dump', 'scores.npz'])
    assert not Path('scores.npz').exists()


def test_wrong_file_names_and_configs_without_a_test_are_refused(tool, toy, capsys):
    for flags in (['--out', 'metrics.txt'], ['--dump', 'scores.pkl']):
        with pytest.raises(SystemExit):
            tool.main(['toy.py', 'best.pth', *flags])
        assert 'must end with' in capsys.readouterr().err
    (toy / 'empty.py').write_text("default_scope = 'mmaction'\n")
    with pytest.raises(SystemExit, match='no test_dataloader'):
        tool.main(['empty.py', 'best.pth'])


@pytest.mark.slow
def test_two_processes_give_the_metrics_and_the_dump_of_one(tool, toy):
    # A clip's logits depend on the size of its batch in the last bit: one clip per batch.
    options = ['--cfg-options', 'test_dataloader.batch_size=1']
    # A teacher has no gradients, which DDP would refuse.
    (toy / 'teacher.py').write_text(TEACHER)
    tool.main(['teacher.py', '--out', 'one.json', '--dump', 'one.npz', *options])
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if name != 'LOCAL_RANK'}
    env.update(PORT=str(port), PYTHON=sys.executable, PYTHONPATH=str(toy), OMP_NUM_THREADS='1')
    command = [ROOT / 'tools/dist_test.sh', 'teacher.py', '', '2']
    command += ['--out', 'two.json', '--dump', 'two.npz', *options]
    subprocess.run(command, env=env, check=True, timeout=300)
    one, two = (json.loads(Path(f'{name}.json').read_text()) for name in ('one', 'two'))
    # Sums of probabilities are added up in another order.
    assert one['metrics'] == pytest.approx(two['metrics'], rel=1e-12)
    assert two['num_samples'] == 7
    with np.load('one.npz') as first, np.load('two.npz') as second:
        assert first.files == second.files
        for name in first.files:
            np.testing.assert_array_equal(first[name], second[name])
