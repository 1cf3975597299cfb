"""Small score tables, the files that testing writes, and a whole report of them."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from score_tables import CLASSES, make_table

from mmdistill.evaluation import read_report_config
from mmdistill.evaluation.cost import Cost
from mmdistill.evaluation.measure import ModelCost
from mmdistill.evaluation.report import build_report, read_inputs, write_report
from mmdistill.evaluation.report_rows import cost_of_row
from mmdistill.metrics import ScoreTable, calibration_errors, save_scores, task_accuracies
from mmdistill.modalities.detection_file import DetectionWriter, VideoDetections
from mmdistill.modalities.flow_encoding import encode_flow


def metrics_of(table: ScoreTable) -> dict[str, float]:
    """Metrics under the names of the design."""
    accuracy = {f'acc/{key}': value for key, value in task_accuracies(table, 'logits').items()}
    errors = calibration_errors(table, 'logits').items()
    return accuracy | {f'calibration/{key}': value for key, value in errors}


def write_test_files(folder: Path, table: ScoreTable, config: str = 'config.py') -> None:
    """What `tools/test.py --out folder/metrics.json --dump folder/scores.npz` writes."""
    folder.mkdir(parents=True)
    content = {
        'metrics': metrics_of(table),
        'num_samples': len(table.sample_ids),
        'config': config,
        'checkpoint_sha256': None,
        'versions': {'torch': '2'},
    }
    (folder / 'metrics.json').write_text(json.dumps(content))
    save_scores(folder / 'scores.npz', table)


def write_scalars(work_dir: Path, run: str, lines: list[dict]) -> None:
    """What MMEngine's LocalVisBackend writes."""
    folder = work_dir / run / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(''.join(json.dumps(line) + '\n' for line in lines))


MODEL = """
data_root = {root!r}
modalities = dict(
    rgb=dict(type='mmdistill.RGBModality'),
    flow=dict(type='mmdistill.FlowModality', channels=3),
    obj=dict(type='mmdistill.DetectionModality'),
)
load = dict(type='mmdistill.LoadModalities', inputs={inputs}, modalities=modalities)
dataset = dict(
    type='mmdistill.MultimodalDataset',
    data_root=data_root,
    ann_file='clips.csv',
    media=dict(rgb='clip/rgb', flow='clip/flow', obj='clip/obj.h5'),
    tasks=dict(verb='verb.csv', noun='noun.csv'),
    pipeline=[load],
)
test_dataloader = dict(dataset=dataset)
model = dict(type='unused')
"""
REPORT = """
title, subtitle = 'A <report>', 'of something'
expert_dir = {root!r}
data_root = {root!r}
rgb = dict(test=expert_dir + '/test/rgb', train=expert_dir + '/rgb')
models = dict(
    base=dict(rgb, title='RGB <base>', role='baseline', holdout=expert_dir + '/holdout/rgb'),
    small=dict(
        role='student',
        test=expert_dir + '/test/small',
        holdout=expert_dir + '/holdout/small',
        train=expert_dir + '/small',
        views=dict(dump=expert_dir + '/views/small', clips=5),
    ),
    rgb=dict(rgb, role='expert'),
    flow=dict(role='expert', test=expert_dir + '/test/flow'),
    everything=dict(title={long!r}, role='teacher', test=expert_dir + '/test/everything'),
)
cost = False
"""
LONG = 'Everything_that_there_is, a title which is far too long for the screen of a phone'
SKILLS = {'rgb': 0.5, 'small': 1.5, 'flow': 1.0, 'everything': 2.5}
READS = {'rgb': "'rgb'", 'small': "'rgb'", 'flow': "'flow'", 'everything': "('rgb', 'flow', 'obj')"}


def write_clip(root, num_frames=8, width=32, height=24):
    """Frames that brighten, flow to the right, one box in the left half of each frame."""
    for folder in ('rgb', 'flow/u', 'flow/v'):
        (root / folder).mkdir(parents=True)
    right = encode_flow(np.full((height, width), 5.0))
    still = encode_flow(np.zeros((height, width)))
    for i in range(num_frames):
        name = f'frame_{i + 1:010d}.jpg'
        cv2.imwrite(str(root / 'rgb' / name), np.full((height, width, 3), 20 * i, np.uint8))
        cv2.imwrite(str(root / 'flow/u' / name), right)
        cv2.imwrite(str(root / 'flow/v' / name), still)
    boxes = np.tile([0.0, 0.0, width / 2, height], (num_frames, 1))
    frames = np.arange(num_frames)
    scores, labels = np.full(num_frames, 0.9), np.zeros(num_frames, int)
    video = VideoDetections(
        width, height, num_frames, 1, frames, np.arange(num_frames + 1), boxes, scores, labels
    )
    with DetectionWriter(root / 'obj.h5', ['hand']) as writer:
        writer.write('v1', video)
    media = {'rgb': str(root / 'rgb'), 'flow': str(root / 'flow'), 'obj': str(root / 'obj.h5')}
    return {
        'sample_id': 'v1_0',
        'video_id': 'v1',
        'start_frame': 2,
        'stop_frame': num_frames,
        'media': media,
    }


def write_report_files(root: Path, clip: Path) -> Path:
    """Tests, holdouts, views and logs of four models, and the config of a report about them.

    Args:
        root: Where everything is written.
        clip: A folder that `write_clip` made: what every clip shows.
    """
    shutil.copytree(clip, root / 'clip')
    rows = [f'{name},v1,2,8,{v},{n}' for name, v, n in _labels()]
    (root / 'clips.csv').write_text(
        '\n'.join(['sample_id,video_id,start_frame,stop_frame,verb,noun', *rows]) + '\n'
    )
    for task, names in CLASSES.items():
        lines = [f'{i},{name}' for i, name in enumerate(names)]
        (root / f'{task}.csv').write_text('\n'.join(['id,name', *lines]) + '\n')
    for seed, (name, skill) in enumerate(SKILLS.items()):
        config = root / f'{name}.py'
        config.write_text(MODEL.format(root=f'{root}/', inputs=READS[name]))
        write_test_files(root / 'test' / name, make_table(skill, seed), str(config))
        save_scores(root / 'holdout' / name / 'scores.npz', make_table(skill, 9, prefix='P02'))
    save_scores(root / 'views/small/scores.npz', make_table(1.0, 3, views=5))
    scalars = [{'loss': 2.0, 'verb/top1_acc': 0.1, 'step': 1}, {'loss': 1.0, 'step': 2}]
    weights = {'holdout/rgb/weight/verb': 0.25, 'holdout/flow/weight/verb': 0.75, 'step': 0}
    write_scalars(root / 'rgb', '1', scalars)
    write_scalars(root / 'small', '1', [*scalars, weights])
    path = root / 'report.py'
    path.write_text(REPORT.format(root=str(root), long=LONG))
    return path


def _labels() -> list[tuple[str, int, int]]:
    table = make_table(1.0)
    return list(zip(table.sample_ids, *(table.labels[t] for t in CLASSES), strict=True))


@pytest.fixture
def tables():
    return {'weak': make_table(0.5, 1), 'strong': make_table(2.0, 2)}


@pytest.fixture(scope='session')
def page(tmp_path_factory):
    """A report with every section, and its page."""
    root = tmp_path_factory.mktemp('page')
    write_clip(root / 'drawn')
    config = read_report_config(str(write_report_files(root / 'runs', root / 'drawn')))
    inputs = read_inputs(config)
    report = build_report(inputs, num_resamples=20)
    report['detector'] = {'ap50': 0.9, 'ap': 0.5, 'epoch': 3}
    report['stages'] = [{'name': 'rgb', 'seconds': 1.0, 'peak_bytes': 10**9}]
    for number, row in enumerate(report['rows'], 1):
        network = Cost(10**6, number * 10**9, 5.0 * number, 6.0 * number, 10**8)
        row |= cost_of_row(ModelCost({'network': network}, {1: 9.0}, {}, {}), 1)
    html, *_ = (p for p in write_report(report, inputs, root) if p.suffix == '.html')
    return report, html.read_text(encoding='utf-8')
