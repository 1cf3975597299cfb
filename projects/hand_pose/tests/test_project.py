"""The project as a whole: its configs work, and the package does not know that it exists."""

import re
from pathlib import Path

import pytest
import torch

from mmdistill.config_tools import load_config
from mmdistill.datasets.multimodal import MultimodalDataset
from mmdistill.registry import DATASETS, MODELS
from projects.demo.rendering.hand import KEYPOINTS
from projects.demo.rendering.renderer import render_demo

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / 'projects/hand_pose/configs'


@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    root = tmp_path_factory.mktemp('data') / 'demo'
    render_demo(root, num_train=12, num_val=4, seed=0)
    return root


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # paths of the configs are not about where somebody stands


def test_the_package_does_not_mention_the_project():
    mentions = re.compile(r'hand.?pose|keypoint.?(track|transformer)|projects[./]', re.IGNORECASE)
    rooms = [ROOT / room for room in ('mmdistill', 'configs', 'tools')]
    files = [path for room in rooms for path in room.rglob('*') if path.is_file()]
    files = [path for path in files if path.suffix != '.pyc']
    assert len(files) > 100
    assert not [path for path in files if mentions.search(f'{path.name} {path.read_text()}')]


def test_the_expert_reads_the_demo_and_answers(demo):
    cfg = load_config(CONFIGS / 'pose.py', dict(data_root=f'{demo}/'))
    model = MODELS.build(cfg.model)
    assert cfg.hand_pose_keypoints == KEYPOINTS
    clips = [DATASETS.build(cfg[f'{part}_dataloader'].dataset) for part in ('train', 'val')]
    for dataset in clips:
        assert isinstance(dataset, MultimodalDataset)
        batch = dict(
            inputs=[dataset[i]['inputs'] for i in range(2)],
            data_samples=[dataset[i]['data_samples'] for i in range(2)],
        )
        assert batch['inputs'][0].shape == (1, 29, 5, 2)
        losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
        assert losses['verb/loss_cls'].isfinite() and losses['noun/loss_cls'].isfinite()
    model.eval()
    sample = model.test_step(batch)[0]
    assert {task: len(score) for task, score in sample.pred_score.items()} == dict(verb=8, noun=8)


def test_the_student_config_only_adds_an_expert_and_what_it_reads():
    ours = load_config(CONFIGS / 'student_rgbflowobjpose.py')
    demos = load_config(ROOT / 'projects/demo/configs/student.py')
    assert list(ours.teacher.experts) == [*demos.teacher.experts, 'hand_pose']
    del ours.teacher.experts['hand_pose']
    assert ours.teacher == demos.teacher
    for part in ('model', 'val_dataloader', 'test_dataloader', 'optim_wrapper', 'custom_hooks'):
        assert ours[part] == demos[part], part
    for part in ('train_dataloader', 'holdout_dataloader'):
        load = ours[part].dataset.pipeline.load
        assert list(load.modalities) == ['rgb', 'flow', 'obj', 'hand_pose'] and load.inputs is None


def test_the_expert_is_found_below_expert_dir():
    options = dict(expert_dir='/runs')
    cfg = load_config(CONFIGS / 'student_rgbflowobjpose.py', options)
    assert cfg.teacher.experts.hand_pose.checkpoint == '/runs/hand_pose/best_*.pth'
    assert load_config(CONFIGS / 'pose.py').work_dir == str(ROOT / 'work_dirs/demo/hand_pose')


def test_the_teacher_asks_the_expert():
    """A teacher with the expert alone gives the expert's own logits."""
    cfg = load_config(CONFIGS / 'student_rgbflowobjpose.py')
    expert = dict(cfg.teacher.experts.hand_pose, checkpoint=None)
    teacher = MODELS.build(
        dict(
            type='mmdistill.MultimodalTeacher',
            experts=dict(hand_pose=expert),
            weighting=dict(type='mmdistill.UniformWeighting'),
        )
    )
    inputs = torch.rand(3, 1, 29, 5, 2)
    logits = teacher.run_experts(dict(hand_pose=inputs))
    assert {task: tuple(x.shape) for task, x in logits.items()} == dict(
        verb=(3, 1, 8), noun=(3, 1, 8)
    )
    alone = teacher.experts['hand_pose'].recognizer
    feats, _ = alone.extract_feat(inputs, test_mode=True)
    torch.testing.assert_close(logits['verb'][:, 0], alone.cls_head(feats)['verb'])


def test_configs_are_short():
    for path in CONFIGS.glob('*.py'):
        assert len(path.read_text().splitlines()) <= 40
    student = (CONFIGS / 'student_rgbflowobjpose.py').read_text()
    lines = [line for line in student.splitlines() if line and not line.startswith('#')]
    assert len([line for line in lines if not line.startswith('_base_')]) == 3
