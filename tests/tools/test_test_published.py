"""A published and an exported model are tested like the checkpoint that they are of."""

import json

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from mmdistill.config_tools import load_config
from mmdistill.deploy import publish_model, write_published
from mmdistill.deploy.onnx_export import export_onnx
from mmdistill.deploy.openvino_export import export_openvino
from mmdistill.deploy.torch_network import build_network
from mmdistill.deploy.torch_program import export_program
from mmdistill.metrics import divided_by_temperature, load_scores, table_metrics
from mmdistill.registry import MODELS

CONFIG = 'projects/demo/configs/student.py'
TEMPERATURES = dict(verb=2.0, noun=0.5)


@pytest.fixture(scope='module')
def files(tmp_path_factory, tiny_data):
    """The demo's student as it begins: checkpoint, published, exported."""
    root = tmp_path_factory.mktemp('models')
    init_default_scope('mmaction')
    torch.manual_seed(0)
    model = MODELS.build(load_config(CONFIG).model)
    torch.save(dict(state_dict=model.state_dict(), meta={}), root / 'best.pth')
    described, weights = publish_model(CONFIG, root / 'best.pth', TEMPERATURES)
    classes = load_config(CONFIG, dict(data_root=f'{tiny_data}/')).test_dataloader.dataset
    for task in described.classes:
        lines = (tiny_data / classes[f'{task}_classes']).read_text().splitlines()[1:]
        described.classes[task][:] = [line.split(',')[1] for line in lines]
    described = write_published(root / 'student.safetensors', described, weights)
    network = build_network(described, weights, root)
    export_onnx(described, network, root / 'student.onnx')
    export_openvino(described, network, root / 'student.xml')
    export_program(described, network, root / 'student.pt2')
    return root


@pytest.fixture
def run(files, tiny_data, load_tool, tmp_path):
    """Test one of the files; returns its result and, where it was asked for, its dump."""

    def test(name, *flags, dump=False):
        out = tmp_path / f'{name}.json'
        words = [CONFIG, str(files / name), '--out', str(out), '--work-dir', str(tmp_path / 'log')]
        words += ['--dump', str(tmp_path / f'{name}.npz')] if dump else []
        options = [f'data_root={tiny_data}/', 'test_dataloader.num_workers=0']
        options.append('test_dataloader.persistent_workers=False')
        options.append('test_dataloader.dataset.pipeline.sample.num_clips=2')
        load_tool('test.py').main([*words, *flags, '--cfg-options', *options])
        table = load_scores(tmp_path / f'{name}.npz') if dump else None
        return json.loads(out.read_text()), table

    return test


def test_metrics_and_logits_are_those_of_the_checkpoint(run):
    result, table = run('best.pth', dump=True)
    for name in ('student.safetensors', 'student.onnx', 'student.xml', 'student.pt2'):
        found, dumped = run(name, dump=True)
        assert found['metrics'] == pytest.approx(result['metrics'], abs=1e-5)
        assert found['checkpoint_sha256'] != result['checkpoint_sha256']
        for task, scores in table.scores.items():
            assert dumped.scores[task].shape[1] == 2
            np.testing.assert_allclose(dumped.scores[task], scores, atol=1e-4)


def test_the_temperatures_of_the_file_are_used_on_request(run):
    _, table = run('student.onnx', dump=True)
    result, _ = run('student.onnx', '--temperatures')
    assert result['temperatures'] == TEMPERATURES
    expected = table_metrics(divided_by_temperature(table, TEMPERATURES))
    key = 'calibration/verb/nll'
    assert result['metrics'][key] == pytest.approx(expected[key], abs=1e-4)


def test_other_classes_are_refused(run, files):
    described, weights = publish_model(CONFIG, files / 'best.pth')
    write_published(files / 'other.safetensors', described, weights)  # classes 0, 1, 2, …
    with pytest.raises(SystemExit, match='number the classes of .verb. differently'):
        run('other.safetensors')


def test_int8_beside_pytorch_on_the_test_clips(files, tiny_data, load_tool, tmp_path, capsys):
    def export(*words):
        load_tool('export.py').main([str(word) for word in words])

    out = tmp_path / 'int8.onnx'
    videos = sorted(tiny_data.glob('*/videos/*.MP4'))[:3]
    options = [f'data_root={tiny_data}/', 'test_dataloader.num_workers=0']
    options.append('test_dataloader.persistent_workers=False')
    asked = [files / 'student.safetensors', '--out', out, '--precision', 'int8', '--rounds', 2]
    export(*asked, '--calib', *videos, '--check', CONFIG, '--cfg-options', *options)
    text = capsys.readouterr().out
    for part in ('| acc/action/top1', '| calibration/verb/ece', '| calibration/noun/nll'):
        assert part in text
    assert 'Batch of 8: PyTorch' in text and 'Largest difference of a logit' in text
    with pytest.raises(SystemExit, match='int8.onnx differs from .*: a logit by'):
        export(*asked, '--calib', *videos, '--check', *videos, '--tolerance', 1e-7)
