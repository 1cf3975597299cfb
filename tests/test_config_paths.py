"""Relative paths of a config lead to its own files, wherever somebody stands."""

import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

from mmdistill.config_paths import Places, config_file
from mmdistill.config_tools import load_config

ROOT = Path(__file__).parents[1]
STUDENT = 'mmdistill::distill/swin_ek100_rgbflowobj.py'


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of a stranger with a config that inherits ours; the stranger stands elsewhere."""
    root = tmp_path / 'kitchen'
    (root / 'configs').mkdir(parents=True)
    (root / 'pyproject.toml').touch()
    (root / 'configs/student.py').write_text(f'_base_ = {STUDENT!r}\n')
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return root


def test_a_config_of_ours_is_inherited_unmarked(project):
    cfg = load_config(project / 'configs/student.py')
    ours = Config.fromfile(ROOT / 'configs/distill/swin_ek100_rgbflowobj.py')
    assert "'_scope_': 'mmdistill'" not in str(cfg.to_dict())
    assert cfg.model == ours.model and cfg.train_dataloader.keys() == ours.train_dataloader.keys()
    assert get_config('mmdistill::distill/swin_ek100_rgbflowobj.py').model == ours.model


@pytest.mark.parametrize('place', ['configs', '.'])
def test_data_lie_beside_the_config_or_above_it(project, place):
    data = project / place / 'data/EPIC-KITCHENS-100'
    data.mkdir(parents=True)
    cfg = load_config(project / 'configs/student.py')
    assert cfg.data_root == f'{data.resolve()}/'
    assert cfg.train_dataloader.dataset.data_root == cfg.data_root


def test_the_place_beside_the_config_comes_first(project):
    for place in ('configs', '.'):
        (project / place / 'work_dirs').mkdir()
    cfg = load_config(project / 'configs/student.py')
    assert cfg.expert_dir == str(project / 'configs/work_dirs')
    assert cfg.teacher.experts.rgb.checkpoint == f'{cfg.expert_dir}/swin_ek100_rgb/best_*.pth'


def test_what_is_nowhere_is_meant_to_be_in_the_project(project, monkeypatch):
    cfg = load_config(project / 'configs/student.py')
    assert cfg.data_root == f'{project}/data/EPIC-KITCHENS-100/'
    assert Places(project / 'configs/student.py').output('work_dirs/student') == str(
        project / 'work_dirs/student'
    )
    # Who stands there sees what the config says.
    monkeypatch.chdir(project)
    assert load_config('configs/student.py').data_root == 'data/EPIC-KITCHENS-100/'


def test_experts_of_a_base_are_found_beside_that_base(project):
    experts = load_config(project / 'configs/student.py').teacher.experts
    for expert in experts.values():
        assert config_file(expert.config).is_file()


def test_paths_of_the_command_line_begin_where_somebody_stands(project):
    (project / 'data').mkdir()
    Path('data').mkdir()
    cfg = load_config(project / 'configs/student.py', dict(data_root='data', expert_dir='runs'))
    assert cfg.data_root == 'data' and cfg.val_dataloader.dataset.data_root == 'data/'
    assert cfg.teacher.experts.obj.checkpoint == 'runs/stlt_ek100_obj/best_*.pth'


def test_a_config_of_ours_on_the_command_line_reads_data_of_the_current_folder(project):
    Path('data/EPIC-KITCHENS-100').mkdir(parents=True)
    assert load_config(STUDENT).data_root == 'data/EPIC-KITCHENS-100/'
    assert Places(STUDENT).output('work_dirs/x') == 'work_dirs/x'


def test_other_strings_stay(project):
    path = project / 'configs/own.py'
    path.write_text(
        "load_from = 'https://nowhere.invalid/a.pth'\n"
        "model = dict(config='mmaction::recognition/x.py', checkpoint='/abs/a.pth', name='data')\n"
    )
    cfg = load_config(path)
    assert cfg.load_from == 'https://nowhere.invalid/a.pth'
    assert cfg.model == dict(
        config='mmaction::recognition/x.py', checkpoint='/abs/a.pth', name='data'
    )


@pytest.mark.parametrize('name', ['gone.py', 'mmdistill::distill/gone.py'])
def test_no_such_config(name):
    with pytest.raises(FileNotFoundError, match=f"There is no config '{name}'"):
        load_config(name)


def test_the_console_command(tmp_path):
    def run(*words):
        command = [sys.executable, '-m', 'mmdistill', *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    shown = run('--help')
    assert shown.returncode == 0
    names = {path.stem for path in (ROOT / 'mmdistill/commands').glob('*.py')} - {'__init__'}
    for name in names:
        assert f'  {name.replace("_", "-")} ' in shown.stdout
    wrong = run('trian')
    assert wrong.returncode == 2
    assert wrong.stderr == "error: mmdistill has no command 'trian': did you mean train?\n"
    told = run('train', 'gone.py')
    assert told.returncode == 1 and told.stderr.count('\n') == 1
    assert "There is no config 'gone.py'" in told.stderr


def test_every_tool_is_a_command():
    """The files in tools/ do nothing else; what only the repository needs is not a command."""
    for path in (ROOT / 'mmdistill/commands').glob('[a-z]*.py'):
        found = list((ROOT / 'tools').rglob(path.name))
        assert len(found) == 1, path.name
        assert f'from mmdistill.commands.{path.stem} import main' in found[0].read_text()
