"""From a stranger's files to configs that build, read and train, whatever their layout."""

import csv
import json
import re
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from miniature_media import detections_of, write_flow, write_video
from mmengine.registry import init_default_scope

from mmdistill.commands.new_project import main
from mmdistill.config_tools import load_config
from mmdistill.modalities.detection_file import DetectionWriter
from mmdistill.registry import DATASETS, MODELS

sys.path.insert(0, str(Path(__file__).parents[1] / 'bad_input'))
from in_process import call_tool  # noqa: E402

VERBS, NOUNS = ('push', 'lift', 'touch'), ('cup', 'pan')
HEIGHT, WIDTH, FRAMES = 48, 64, 12


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """A layout of its own: media by person, split and kitchen as columns, no class for the test."""
    root = tmp_path_factory.mktemp('stranger') / 'recordings'
    rows, boxes = [], np.tile([8.0, 8.0, 24.0, 32.0], (FRAMES, 1))
    (root / 'lists').mkdir(parents=True)
    with DetectionWriter(root / 'boxes.h5', ['hand', 'cup', 'pan']) as writer:
        for number in range(8):
            person, video = f'person{number // 2}', f'cam{number}'
            small = np.random.default_rng(number).integers(0, 256, (FRAMES, 6, 8, 3), np.uint8)
            frames = small.repeat(8, axis=1).repeat(8, axis=2)
            write_video(root / f'{person}/{video}.mp4', frames, Fraction(10))
            if number != 3:  # nobody has extracted it
                flow = np.zeros((FRAMES, HEIGHT, WIDTH, 2), np.float32)
                write_flow(root / f'{person}/flow_of_{video}', flow)
            writer.write(video, detections_of(boxes, HEIGHT, WIDTH, label=number % 3))
            split = 'holdout' if number in (4, 5) else 'train'
            rows.append([video, 0, FRAMES, number % 3, number % 2, person, split, f'k{number % 2}'])
    header = ['video_id', 'start_frame', 'stop_frame', 'verb', 'noun', 'person', 'split', 'kitchen']
    for name, part in (('train', rows[:6]), ('test', rows[6:])):
        with (root / f'lists/{name}.csv').open('w', newline='') as file:
            csv.writer(file).writerows([header, *part])
    for task, names in (('verb', VERBS), ('noun', NOUNS), ('sided', ('turn left', 'push', 'lift'))):
        lines = [f'{i},{name}' for i, name in enumerate(names)]
        (root / f'lists/{task}s.csv').write_text('\n'.join(['id,name', *lines]) + '\n')
    return root


@pytest.fixture
def make(files, tmp_path, monkeypatch, capsys):
    """Call the command from elsewhere; returns the folder of the project."""
    monkeypatch.chdir(tmp_path)
    init_default_scope('mmaction')

    def run(*more, media=('rgb', 'flow', 'obj'), classes=('verb', 'noun')):
        templates = dict(
            rgb='{person}/{video_id}.mp4', flow='{person}/flow_of_{video_id}', obj='boxes.h5'
        )
        templates['audio'] = templates['rgb']
        lists = files / 'lists'
        main(
            [
                *('kitchen', '--data-root', str(files), '--frames', '4', '--size', '32'),
                *('--train', str(lists / 'train.csv'), '--test', str(lists / 'test.csv')),
                *('--classes', *(f'{task}={lists}/{task}s.csv' for task in classes)),
                *('--media', *(f'{name}={templates[name]}' for name in media), *more),
            ]
        )
        return tmp_path / 'kitchen'

    return run


def configs_of(project):
    return sorted(path for path in project.glob('configs/*.py') if path.stem != 'report')


def test_every_config_is_short_and_builds_models_and_data(make):
    project = make('--holdout', 'split', '--group', 'kitchen')
    names = [path.stem for path in configs_of(project)]
    assert names == ['flow', 'obj', 'rgb', 'student', 'teacher']
    for path in project.rglob('*.py'):
        longest = dict(own=66, report=16, teacher=14).get(path.stem, 12)
        assert len(path.read_text().splitlines()) <= longest, path
    for path in configs_of(project):
        cfg = load_config(path)
        if path.stem == 'teacher':
            assert list(cfg.model.experts) == ['rgb', 'flow', 'obj']
            continue
        model = MODELS.build(cfg.model)
        head = getattr(model, 'recognizer', model).cls_head
        assert head.num_classes == dict(verb=3, noun=2)
        loaders = (cfg[f'{part}_dataloader'] for part in ('train', 'holdout', 'test'))
        train, holdout, test = (DATASETS.build(loader.dataset) for loader in loaders)
        assert (len(train), len(holdout), len(test)) == (4 - (path.stem == 'flow'), 2, 2)
        assert {record['group'] for record in map(test.load_record, range(2))} == {'k0', 'k1'}
        inputs = train[0]['inputs']
        wanted = {'rgb', 'flow', 'obj'} if path.stem == 'student' else set()
        assert (set(inputs) if wanted else set()) == wanted
    student = load_config(project / 'configs/student.py')
    for name, expert in student.teacher.experts.items():
        assert Path(expert.config).resolve() == project / f'configs/{name}.py'
        assert Path(expert.checkpoint).resolve() == project / f'work_dirs/{name}/best_*.pth'
    readme = (project / 'README.md').read_text()
    assert 'Some clips have no flow' in readme and '4 in train, 2 in holdout, 2 in test' in readme


def test_a_column_of_people_makes_the_groups_of_the_holdout(make):
    project = make('--holdout', 'person', '--ratio', '0.3', media=('rgb', 'audio'))
    assert load_config(project / 'configs/rgb.py').train_dataloader.dataset.holdout == dict(
        by='person', ratio=0.3, seed=0
    )
    assert [path.stem for path in configs_of(project)] == ['audio', 'rgb', 'student', 'teacher']


def test_one_label_and_classes_with_a_side(make, files):
    lists = files / 'lists'
    text = (lists / 'train.csv').read_text().replace('verb,noun', 'action,noun', 1)
    (lists / 'one.csv').write_text(text)
    project = make('--train', f'{lists}/one.csv', '--test', f'{lists}/one.csv',
                   '--classes', f'{lists}/sideds.csv')  # fmt: skip
    cfg = load_config(project / 'configs/student.py')
    assert cfg.model.tasks == dict(action=3)
    assert 'flip' not in cfg.train_dataloader.dataset.pipeline.load.geometry
    assert "the class 'turn left' has a side" in (project / 'README.md').read_text()


@pytest.mark.parametrize(
    ('more', 'message'),
    [
        (['--train', 'gone.csv'], 'There is no annotation file .*gone.csv'),
        (['--holdout', 'fold'], 'fold'),
        (['--group', 'room'], 'room'),
        (['--media', 'rgb={person}/{video_id}.avi'], '8 of 8 clips have no rgb: there is no .*avi'),
        (['--media', 'rgb={nobody}.mp4'], 'placeholders that exist'),
        (['--media', 'flow=x'], 'expected rgb and any of'),
        (['--media', 'rgb=a.mp4', 'smell=b'], r"names \['rgb', 'smell'\]; expected rgb"),
        (['--media', 'rgb'], "--media 'rgb': expected NAME=VALUE"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(make, tmp_path, more, message):
    with pytest.raises(SystemExit) as caught:
        make(*more)
    assert re.search(message, str(caught.value.code)), caught.value.code
    assert '\n' not in str(caught.value.code) and not (tmp_path / 'kitchen').exists()


def test_what_is_there_is_not_overwritten(make, tmp_path):
    (tmp_path / 'kitchen').mkdir()
    (tmp_path / 'kitchen/notes.txt').write_text('mine')
    with pytest.raises(SystemExit, match='kitchen is there already and not empty'):
        make()
    assert [path.name for path in (tmp_path / 'kitchen').iterdir()] == ['notes.txt']


@pytest.mark.slow
def test_the_commands_of_its_readme_run(make, monkeypatch):
    project = make('--holdout', 'split')
    # As a reader without the internet and with little patience would have them.
    own = project / 'configs/_base_/datasets/own.py'
    text = own.read_text().replace('num_workers=4, persistent_workers=True', 'num_workers=0')
    own.write_text(text.replace('batch_size=8', 'batch_size=2'))
    for path in configs_of(project):
        path.write_text(path.read_text() + 'load_from = None\ntrain_cfg = dict(max_epochs=1)\n')
    monkeypatch.chdir(project)
    commands = re.findall(r'^mmdistill (\S+) (.*)$', (project / 'README.md').read_text(), re.M)
    assert [name for name, _ in commands] == ['check', *['train'] * 4, *['test'] * 5, 'report']
    for name, words in commands:
        place = dict(check='data/', report='analysis/').get(name, '')
        code = call_tool(f'tools/{place}{name}.py', words.replace("'", '').split())
        assert code == 0, (name, words)
    metrics = json.loads((project / 'work_dirs/test/student/metrics.json').read_text())
    assert metrics['num_samples'] == 2
    assert (project / 'work_dirs/report/report.html').is_file()
