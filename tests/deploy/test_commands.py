"""publish, predict and export as their users call them."""

import csv
import json
import shutil

import pytest
import torch
from mmengine.config import Config
from programs import load_program

from mmdistill.deploy import load_model, read_published
from mmdistill.metrics import save_scores
from mmdistill.registry import MODELS
from mmdistill.video import index_video

from .conftest import CONFIG, TEMPERATURES


def run(tool, *words):
    return load_program(f'tools/{tool}.py').main([str(word) for word in words])


def test_from_a_checkpoint_to_a_prediction(checkpoint, video, tmp_path, capsys):
    out = tmp_path / 'student.safetensors'
    metrics = tmp_path / 'metrics.json'
    metrics.write_text(json.dumps(dict(metrics={'acc/verb/top1': 0.5}, num_samples=3)))
    stock = tmp_path / 'stock'
    run('publish', CONFIG, checkpoint, '--out', out, '--metrics', metrics, '--to-mmaction2', stock)
    assert '| verb | 50.00 |' in (tmp_path / 'student.md').read_text()
    assert 'warning' not in capsys.readouterr().out
    assert read_published(out)[0].temperatures == TEMPERATURES
    cfg = Config.fromfile(stock / 'config.py')
    weights = torch.load(stock / 'checkpoint.pth', weights_only=True)['state_dict']
    MODELS.build(cfg.model).load_state_dict(weights, strict=True)

    run('predict', video, '--model', out, '--topk', 2)
    text = capsys.readouterr().out
    best = load_model(out).predict(video)[0].top(2)
    assert f'action: {best["action"][0].name}' in text and 'noun: ' in text

    exported = tmp_path / 'student.onnx'
    run('export', out, '--out', exported, '--check', video, '--rounds', 2)
    assert 'the same prediction in 100.0 %' in capsys.readouterr().out
    run('predict', video, '--model', exported, '--topk', 2)
    assert best['action'][0].name in capsys.readouterr().out


def test_a_long_video_becomes_segments(published, video, tmp_path, capsys):
    outputs = [tmp_path / 'a.json', tmp_path / 'a.csv', tmp_path / 'drawn']
    flags = zip(('--out-json', '--out-csv', '--out-video'), outputs, strict=True)
    words = [word for pair in flags for word in pair]
    run('predict', video, '--model', published, '--window', 1, '--stride', 0.5, *words)
    [result] = json.loads(outputs[0].read_text())['videos']
    assert len(result['predictions']) == 5 and result['source'] == str(video)
    with outputs[1].open() as file:
        rows = list(csv.DictReader(file))
    assert [row['label'] for row in rows] == [s['label'] for s in result['segments']]
    assert float(rows[-1]['stop']) == pytest.approx(2.8)
    assert index_video(outputs[2] / f'{video.stem}.mp4').num_frames == 70


def test_a_video_that_cannot_be_read_does_not_stop_the_others(published, video, tmp_path, capsys):
    shutil.copy(video, tmp_path / 'b.mp4')
    (tmp_path / 'a.mp4').write_bytes(video.read_bytes()[:500])
    out = tmp_path / 'all.json'
    with pytest.raises(SystemExit, match='1 of 2 videos could not be read'):
        run('predict', tmp_path, '--model', published, '--out-json', out)
    assert str(tmp_path / 'a.mp4') in capsys.readouterr().out
    assert [v['source'] for v in json.loads(out.read_text())['videos']] == [str(tmp_path / 'b.mp4')]


def test_temperatures_from_a_holdout(checkpoint, tables, tmp_path):
    out = tmp_path / 'student.safetensors'
    save_scores(tmp_path / 'holdout.npz', tables)
    run('publish', CONFIG, checkpoint, '--out', out, '--holdout', tmp_path / 'holdout.npz')
    found = read_published(out)[0].temperatures
    assert found.keys() == TEMPERATURES.keys() and found != TEMPERATURES


@pytest.fixture
def tables():
    from score_tables import make_table

    return make_table(1.0)
