"""Bad input on the command line: every mistake ends with one line that says what to do."""

import re
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmdistill.modalities.detection_file import DetectionFile, DetectionWriter

ROOT = Path(__file__).parents[2]
CLASSES = dict(verb=97, noun=300)
# Any configured loader is small, and reads in this process unless a test says otherwise.
LOADER = dict(batch_size=2, num_workers=0, persistent_workers=False)


@pytest.fixture(scope='module')
def tools(load_tool):
    return {name: load_tool(name).main for name in ('train.py', 'test.py')}


@pytest.fixture
def here(tmp_path, monkeypatch, tiny_data, recognizer_config):
    """The current folder: a distillation of two untrained experts of RGB, with data of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.delenv('MMDISTILL_TRACEBACK', raising=False)
    # A runner describes the machine and makes the config pretty, which takes longer than the test.
    monkeypatch.setattr('mmengine.config.config.FormatCode', lambda text, **_: (text, True))
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
    shutil.copytree(tiny_data, 'data', ignore=shutil.ignore_patterns('flow_frames', 'detector'))
    cfg = Config.fromfile(ROOT / 'configs/distill/swin_ek100_rgbflowobj.py')
    recognizer = recognizer_config(CLASSES)
    cfg.model.recognizer, cfg.model.tasks = recognizer, None
    expert = dict(model=recognizer, checkpoint=None, modality='rgb')
    experts = dict(rgb=expert, other=expert)
    cfg.teacher.experts = experts
    cfg.data_root, cfg.load_from = 'data', None
    cfg.train_cfg.max_epochs = 1
    for name in ('train', 'holdout', 'val', 'test'):
        loader = cfg[f'{name}_dataloader']
        loader.update(LOADER)
        loader.dataset.data_root = 'data'
        loader.dataset.pipeline.sample.clip_len = 2
        loader.dataset.pipeline.load.geometry = dict(
            resize=dict(type='Resize', scale=(16, 16), keep_ratio=False)
        )
    for name in ('train', 'holdout'):
        cfg[f'{name}_dataloader'].dataset.pipeline.load.inputs = ('rgb',)
    cfg.dump('distill.py')
    torch.save(dict(state_dict={}, meta={}), 'empty.pth')
    return tmp_path


@pytest.fixture
def fails(tools, here):
    """Run a tool that must fail; its one line without `error: `."""

    def run(*options: str, command=('train.py', 'distill.py')) -> str:
        tool, *arguments = command
        with pytest.raises(SystemExit) as caught:
            flags = ['--cfg-options', *options] if options else []
            tools[tool]([*arguments, '--work-dir', 'work', *flags])
        message = caught.value.code
        assert isinstance(message, str) and message.startswith('error: ')
        assert '\n' not in message and 'Traceback' not in message
        return message.removeprefix('error: ')

    return run


LOAD = 'train_dataloader.dataset.pipeline.load'
HOLDOUT = 'holdout_dataloader.dataset'


@pytest.mark.parametrize(
    ('option', 'expected'),
    [
        (f'{LOAD}.inputs=audio', r"\['audio'\], but the configured modalities are .*add"),
        (f'{LOAD}.modalities.rgb.type=Sonar', 'Sonar is not in the mmdistill::modality registry'),
        (
            'teacher.experts.rgb.checkpoint=rgb/best_*.pth',
            "no checkpoint of expert 'rgb'.*mmdistill train",
        ),
        ('teacher.experts.rgb.checkpoint=empty.pth', "empty.pth does not fit .* expert 'rgb'"),
        ('teacher.experts.rgb.modality=audio', "'rgb' reads 'audio', but .*remove the expert"),
        (
            'model.losses.soft_target.temperature=0',
            'temperature of soft targets must be a finite number > 0',
        ),
        (
            'teacher.weighting.temperature=-1',
            'weighting temperature must be a finite number > 0, got -1',
        ),
        (f'{HOLDOUT}.holdout.ratio=0', r'between 0 and 1, got 0: .*holdout .*empty'),
        ('holdout_dataloader=None', 'no holdout_dataloader: give the hook one'),
        ('train_dataloader.dataset.data_root=gone', r'no annotation file .gone.*check data_root'),
        ('load_from=gone/epoch_1.pth', 'no checkpoint gone/epoch_1.pth .*load_from=None'),
    ],
)
def test_a_mistake_in_the_config_is_one_line(fails, option, expected):
    message = fails(option)
    assert re.search(expected, message), message


def test_weights_must_sum_to_one(fails):
    message = fails(
        'teacher.weighting._delete_=True',
        'teacher.weighting.type=mmdistill.FixedWeighting',
        'teacher.weighting.weights=[0.5,0.6]',
    )
    assert 'sum to 1' in message and 'divide them by their sum' in message


def test_student_and_experts_must_know_the_same_classes(fails):
    heads = 'model.recognizer.cls_head.heads'
    message = fails(f'{heads}.verb.num_classes=90')
    assert "90 classes for 'verb', the experts have 97: train" in message
    message = fails('teacher.experts.other.model.cls_head.heads.noun.num_classes=5')
    assert "'noun': 5" in message and 'train them on the same annotation files' in message


def test_a_holdout_needs_a_second_video(fails):
    table = Path('data/annotations/EPIC_100_train.csv')
    header, *rows = table.read_text().splitlines()
    only = [row for row in rows if ',P01_101,' in row]
    table.write_text('\n'.join([header, *only]) + '\n')
    message = fails()
    assert 'holdout would be empty' in message and 'P01_101' in message and 'Add videos' in message


@pytest.mark.parametrize('workers', [0, 1])
def test_a_truncated_video_is_named(fails, workers):
    for path in Path('data').glob('P*/videos/*.MP4'):
        path.write_bytes(path.read_bytes()[:2000])
    message = fails(f'holdout_dataloader.num_workers={workers}')
    assert '.MP4' in message and 'truncated' in message and 'fetch it again' in message


@pytest.mark.parametrize('workers', [0, 1])
def test_detections_of_another_data_set_are_noticed(fails, workers):
    source = DetectionFile('data/detections.h5')
    with DetectionWriter('data/other.h5', source.classes) as writer:
        writer.write('P99_101', source.load('P01_101'))
    message = fails(
        'holdout_dataloader.dataset.media.obj=other.h5',
        'holdout_dataloader.dataset.pipeline.load.inputs=obj',
        f'holdout_dataloader.num_workers={workers}',
    )
    assert 'data/other.h5 holds no detections of video' in message
    assert 'another data set: correct the path' in message


def test_testing_is_as_brief(fails):
    test = ('test.py', 'distill.py')
    assert 'no checkpoint gone.pth' in fails(command=(*test, 'gone.pth'))
    assert 'needs a checkpoint' in fails(command=test)
    message = fails('test_dataloader.dataset.media.rgb=no/video', command=(*test, 'empty.pth'))
    assert 'media files of data/annotations/EPIC_100_validation.csv are missing' in message


@pytest.mark.slow
def test_a_process_prints_one_line_and_exits_with_one(start_tool, here):
    for path in Path('data').glob('P*/videos/*.MP4'):
        path.write_bytes(path.read_bytes()[:2000])
    process, log = start_tool(
        *('tools/train.py', here / 'distill.py', '--work-dir', here / 'work', '--cfg-options'),
        *(f'data_root={here}/data', 'holdout_dataloader.num_workers=1'),
    )
    assert process.wait(timeout=300) == 1
    printed = log.read_text()
    assert 'Traceback' not in printed
    (line,) = [line for line in printed.splitlines() if line.startswith('error: ')]
    assert 'truncated' in line
