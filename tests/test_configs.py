"""Every config in configs/ parses, inherits what it says, and builds its model."""

from pathlib import Path

import pytest
from mmengine.registry import VISUALIZERS, init_default_scope

from mmdistill.config_tools import load_config
from mmdistill.hooks.distillation_loss_hook import check_classes
from mmdistill.models import MultimodalTeacher, StudentRecognizer
from mmdistill.registry import MODELS

ROOT = Path(__file__).parents[1]
CONFIGS, DEMO = ROOT / 'configs', ROOT / 'projects/demo/configs'
FOUND = [*CONFIGS.rglob('*.py'), *DEMO.rglob('*.py')]
RUNNABLE = sorted(path for path in FOUND if '_base_' not in path.parts)
# Detectors are mmdet's, and pages are about models without being one.
OTHERS = ('detector', 'detector_tiny', 'report', 'results')
OURS = [p for p in RUNNABLE if p.parent.name != 'detectors' and p.stem not in OTHERS]


def name_of(path):
    return str(path.relative_to(ROOT))


def build(model):
    """Build a model; experts without their checkpoints."""
    for expert in model.get('experts', {}).values():
        expert.checkpoint = None
    return MODELS.build(model)


BUILT: dict[str, MultimodalTeacher] = {}


def teacher_of(cfg):
    """The teacher of a config, without its weights; students of the same one share it."""
    key = str(cfg.teacher)
    if key not in BUILT:
        BUILT[key] = build(cfg.teacher).to('meta')  # half a gigabyte each
    return BUILT[key]


@pytest.fixture(autouse=True)
def _repository_root(monkeypatch):
    monkeypatch.chdir(CONFIGS.parent)  # expert configs are named from there


@pytest.mark.parametrize('path', OURS, ids=name_of)
def test_it_builds_its_model(path):
    cfg = load_config(path)
    assert cfg.default_hooks.visual_report.type == 'mmdistill.VisualReportHook'
    model = build(cfg.model)
    if isinstance(model, StudentRecognizer):
        teacher = teacher_of(cfg)
        teacher.prepare(model)
        assert isinstance(teacher, MultimodalTeacher)
        check_classes(model, teacher)


STUDENTS = [
    path
    for path in sorted(CONFIGS.glob('distill/*.py'))
    if not path.stem.startswith(('teacher', 'karmma', 'ema'))
]
DATA_SETS = ('ek100', 'sthv2')
FAMILIES = ('slowonly-r50', 'swin', 'tsm-mobilenetv2', 'tsm-r50', 'x3d-m')
# Something-Else and the smaller teachers are there for one student.
OF_SWIN = ['swin_sthelse_rgbflowobj'] + [
    f'swin_{data}_{read}' for data in (*DATA_SETS, 'sthelse') for read in ('rgbflow', 'rgbobj')
]
AUDIO = ['swin_ek100_rgbflowaudio']


def test_every_family_is_a_student_on_every_data_set():
    # Audio is an ensemble of its own, with one student.
    expected = [f'{name}_{data}_rgbflowobj' for name in FAMILIES for data in DATA_SETS]
    assert sorted(path.stem for path in STUDENTS) == sorted(expected + OF_SWIN + AUDIO)


@pytest.mark.parametrize('name', [name for name in OF_SWIN if 'flowobj' not in name])
def test_a_smaller_teacher_reads_what_it_is_named_after(name):
    data, read = name.split('_')[1:]
    small, full = (
        load_config(CONFIGS / f'distill/swin_{data}_{x}.py') for x in (read, 'rgbflowobj')
    )
    expected = {'rgb', read.removeprefix('rgb')}
    assert set(small.teacher.experts) == expected
    assert small.model == full.model
    for loader in (small.train_dataloader, small.holdout_dataloader):
        assert set(loader.dataset.pipeline.load.inputs) == expected
    for expert in expected:
        assert small.teacher.experts[expert] == full.teacher.experts[expert]


FUSED = ('ek100_rgbflowobj', 'ek100_rgbflowaudio', 'sthv2_rgbflowobj')


@pytest.mark.parametrize('name', FUSED)
def test_a_student_of_several_modalities_and_its_teacher_miss_the_same(name):
    teacher, student = (
        load_config(CONFIGS / path)
        for path in (f'fusion/karmma-teacher_{name}.py', f'distill/karmma_{name}.py')
    )
    load = student.train_dataloader.dataset.pipeline.load
    third = name.removeprefix(name.split('_')[0] + '_rgbflow')
    assert list(load.inputs) == ['rgb', 'flow', third] == list(load.dropout)
    assert teacher.train_dataloader.dataset == student.train_dataloader.dataset
    assert all(extractor.frozen for extractor in teacher.model.extractors.values())
    [expert] = student.teacher.experts.values()
    assert expert.config == f'mmdistill::fusion/karmma-teacher_{name}.py'
    assert expert.modality == student.model.modality == {key: key for key in load.inputs}
    assert not any(x.get('frozen') for x in student.model.recognizer.extractors.values())


def test_the_baselines_of_karmma_have_the_network_of_its_student():
    student = load_config(CONFIGS / 'distill/karmma_ek100_rgbflowobj.py')
    plain, dropout = (
        load_config(CONFIGS / f'fusion/{name}_ek100_rgbflowobj.py') for name in ('plain', 'dropout')
    )
    assert dropout.model == student.model.recognizer
    assert dropout.train_dataloader == student.train_dataloader
    assert plain.model.extractors == dropout.model.extractors
    assert plain.model.fusion.absent == 'zero' and not plain.model.fusion.modality_tokens
    assert plain.train_dataloader.dataset.pipeline.load.dropout is None


@pytest.mark.parametrize('path', STUDENTS, ids=name_of)
def test_a_student_is_a_dozen_lines(path):
    assert len(path.read_text().splitlines()) <= 12


def test_an_expert_is_swapped_by_one_line(tmp_path):
    path = tmp_path / 'other_expert.py'
    path.write_text(
        f"_base_ = '{CONFIGS / 'distill/tsm-r50_sthv2_rgbflowobj.py'}'\n"
        "teacher = dict(experts=dict(rgb=dict(config='configs/unimodal/swin_ek100_rgb.py')))\n"
    )
    experts = load_config(path).teacher.experts
    assert experts.rgb.config == 'configs/unimodal/swin_ek100_rgb.py'
    assert experts.flow.config == 'mmdistill::unimodal/swin_sthv2_flow.py'


@pytest.mark.parametrize('path', OURS, ids=name_of)
def test_data_root_moves_every_path(path):
    old = load_config(path).data_root.rstrip('/')
    cfg = load_config(path, dict(data_root='/elsewhere/'))
    assert f"'{old}/" not in cfg.pretty_text
    assert cfg.train_dataloader.dataset.data_root == '/elsewhere/'
    assert cfg.holdout_dataloader.dataset.data_root == '/elsewhere/'


@pytest.mark.parametrize('path', OURS, ids=name_of)
def test_it_is_an_experiment_in_one_breath(path):
    assert len(path.read_text().splitlines()) <= 40


def test_student_and_baseline_of_the_demo_differ_in_the_loss_and_the_unlabelled_clips_only():
    baseline = load_config(DEMO / 'rgb.py')
    student = load_config(DEMO / 'student.py')
    assert student.model.recognizer == baseline.model
    for key in ('optim_wrapper', 'test_dataloader', 'randomness'):
        assert student[key] == baseline[key], key
    ours, theirs = student.train_dataloader.copy(), baseline.train_dataloader.copy()
    ours.dataset.pipeline.load.inputs = theirs.dataset.pipeline.load.inputs
    every = ours.dataset.pop('ann_file'), ours.dataset.pop('labelled')
    assert every == ('annotations/EPIC_100_train_all.csv', 'some')
    assert theirs.dataset.pop('ann_file') == 'annotations/EPIC_100_train.csv'
    assert theirs.dataset.pop('labelled') is True and ours == theirs
    # Both see as many clips: 720, of which 240 are labelled; the holdout's 60 are in neither.
    assert 720 * student.train_cfg.max_epochs == 240 * baseline.train_cfg.max_epochs


BACKENDS = {
    'tensorboard': ('tensorboard', 'TensorboardVisBackend', {}),
    'wandb': ('wandb', 'WandbVisBackend', dict(_init_kwargs=dict(mode='online'))),
    'wandb_offline': ('wandb', 'WandbVisBackend', dict(_init_kwargs=dict(mode='offline'))),
    'mlflow': (
        'mlflow',
        'MLflowVisBackend',
        dict(
            _exp_name='mmdistill',
            _tracking_uri='sqlite:///work_dirs/mlflow.db',
            _artifact_location='work_dirs/mlflow',
            _tracked_config_keys=['optim_wrapper', 'train_cfg'],
        ),
    ),
}


def backends_of(cfg, folder):
    """The backends of a config, built as a runner does; they open nothing yet."""
    visualizer = VISUALIZERS.build(dict(cfg.visualizer, name=folder.name, save_dir=str(folder)))
    return list(visualizer._vis_backends.values())


@pytest.mark.parametrize('name', BACKENDS)
def test_a_visualizer_is_two_lines_of_an_experiment(name, tmp_path):
    file, kind, arguments = BACKENDS[name]
    bases = [f'{DEMO}/student.py', f'{CONFIGS}/_base_/visualizers/{file}.py']
    experiment = tmp_path / 'experiment.py'
    experiment.write_text(f'_base_ = {bases}\nvisualizer = dict(vis_backends=_base_.{name})\n')
    cfg = load_config(experiment)
    assert cfg.visualizer.type == 'ActionVisualizer'
    local, backend = backends_of(cfg, tmp_path)
    assert type(local).__name__ == 'LocalVisBackend' and type(backend).__name__ == kind
    assert backend._save_dir == f'{tmp_path}/vis_data'
    for attribute, value in arguments.items():
        found = getattr(backend, attribute)
        if isinstance(value, dict):
            assert found == dict(value, project='mmdistill')
        else:
            assert found == value
    assert set(arguments.get('_tracked_config_keys', ())) <= cfg.keys()


@pytest.mark.parametrize(
    'config', [DEMO / 'student.py', DEMO / 'detector.py', CONFIGS / 'unimodal/swin_ek100_rgb.py']
)
def test_a_visualizer_is_an_option_of_the_command_line(config, tmp_path):
    option = {'visualizer.vis_backends.1.type': 'TensorboardVisBackend'}
    cfg = load_config(config, option)
    init_default_scope(cfg.default_scope)
    names = [type(backend).__name__ for backend in backends_of(cfg, tmp_path)]
    assert names == ['LocalVisBackend', 'TensorboardVisBackend']
