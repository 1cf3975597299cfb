"""Every format predicts what PyTorch predicts, as exactly as its numbers allow."""

import io
import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch

from mmdistill.deploy import load_model, read_published
from mmdistill.deploy.onnx_export import export_onnx
from mmdistill.deploy.openvino_export import export_openvino, is_openvino
from mmdistill.deploy.torch_network import build_network
from mmdistill.deploy.torch_program import export_program, is_program

from .conftest import pictures

WAYS = {'.onnx': export_onnx, '.xml': export_openvino, '.pt2': export_program}
# Of logits that reach 0.4; int8 has 256 steps for what an activation may be.
TOLERANCES = dict(fp32=1e-5, fp16=2e-3, int8=0.1)
CASES = [(s, p) for s in WAYS for p in TOLERANCES if (s, p) != ('.pt2', 'int8')]


@pytest.fixture(scope='module')
def parts(published):
    described, weights = read_published(published)
    return described, build_network(described, weights, published)


@pytest.fixture(scope='module')
def views():
    frames = [pictures(16, 48, 64, seed) for seed in range(6)]  # as the demo sees them
    return [f[None, ::2].transpose(0, 4, 1, 2, 3).copy() for f in frames]


@pytest.fixture(scope='module')
def export(parts, views, tmp_path_factory):
    """The file of a format and a precision, written once."""
    folder, made = tmp_path_factory.mktemp('formats'), {}

    def of(suffix, precision):
        path = folder / f'student_{precision}{suffix}'
        if path not in made:
            made[path] = path
            given = dict(views=views) if precision == 'int8' else {}
            WAYS[suffix](*parts, path, precision, **given)
        return path

    return of


@pytest.mark.parametrize(('suffix', 'precision'), CASES)
def test_it_predicts_what_pytorch_predicts(model, export, video, suffix, precision):
    other = load_model(export(suffix, precision), 'cpu')
    assert other.described == model.described
    arrays = [pictures(30, seed=seed) for seed in range(3)]
    for videos in (arrays, arrays[:1], str(video)):
        for one, same in zip(model.predict(videos), other.predict(videos), strict=True):
            for task, logits in one.logits.items():
                assert same.logits[task].dtype == np.float32
                np.testing.assert_allclose(
                    same.logits[task], logits, atol=TOLERANCES[precision], rtol=1e-4
                )


@pytest.mark.parametrize('suffix', WAYS)
def test_less_precision_is_a_smaller_file(export, suffix):
    def size(precision):
        path = export(suffix, precision)
        weights = path.with_suffix('.bin')
        return (weights if suffix == '.xml' else path).stat().st_size

    assert size('fp16') < 0.6 * size('fp32')
    if suffix != '.pt2':
        assert size('int8') < 0.4 * size('fp32')


def test_int8_without_views_is_for_matrix_products(parts, tmp_path):
    described, network = parts
    for export in (export_onnx, export_openvino):
        with pytest.raises(ValueError, match='give --calib'):
            export(described, network, tmp_path / 'student', 'int8')
    with pytest.raises(ValueError, match='int8 is not for torch-export'):
        export_program(described, network, tmp_path / 'student.pt2', 'int8')
    assert list(tmp_path.iterdir()) == []


def test_matrix_products_need_no_views(tmp_path):
    class Products(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(64, 64)

        def forward(self, x):
            return self.layer(x.float())

    from onnxruntime import InferenceSession

    from mmdistill.deploy.onnx_export import quantised

    content, layer = io.BytesIO(), Products()
    torch.onnx.export(layer, (torch.randn(2, 64),), content, dynamo=False, input_names=['x'])
    import onnx

    graph = quantised(onnx.load_from_string(content.getvalue()), [])
    assert {'MatMulInteger', 'DynamicQuantizeLinear'} <= {n.op_type for n in graph.graph.node}
    x = torch.randn(2, 64)
    [found] = InferenceSession(graph.SerializeToString()).run(None, {'x': x.numpy()})
    np.testing.assert_allclose(found, layer(x).detach().numpy(), atol=0.05)


def test_what_is_ours(export, tmp_path):
    assert is_program(export('.pt2', 'fp32')) and is_openvino(export('.xml', 'fp32'))
    for suffix, is_ours in (('.pt2', is_program), ('.xml', is_openvino)):
        path = tmp_path / f'other{suffix}'
        assert not is_ours(path)
        path.write_text('no')
        assert not is_ours(path)


def test_an_exported_file_has_its_own_precision(export):
    with pytest.raises(ValueError, match="precision='bf16': .* export it again"):
        load_model(export('.onnx', 'fp32'), 'cpu', 'bf16')


def test_openvino_needs_both_files_and_a_description(export, tmp_path):
    path = export('.xml', 'fp32')
    (tmp_path / 'alone.xml').write_bytes(path.read_bytes())
    with pytest.raises(FileNotFoundError, match=r'There is no .*alone\.bin'):
        load_model(tmp_path / 'alone.xml')
    (tmp_path / 'alone.bin').write_bytes(path.with_suffix('.bin').read_bytes())
    text = path.read_text().replace('<mmdistill', '<other').replace('</mmdistill', '</other')
    (tmp_path / 'alone.xml').write_text(text)
    with pytest.raises(ValueError, match='without a description'):
        load_model(tmp_path / 'alone.xml')
    with pytest.raises(ValueError, match="device='cuda': OpenVINO runs on the CPU"):
        load_model(path, 'cuda')


class Evil:
    def __reduce__(self):
        return print, ('code has run',)


def changed(path, out, change):
    """The archive with one of its files changed."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, 'w') as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out


def with_pickle(name, content):
    if not name.endswith('sample_inputs/model.pt'):
        return content
    file = io.BytesIO()
    torch.save(Evil(), file, pickle_module=pickle)
    return file.getvalue()


def with_call(name, content):
    if not name.endswith('models/model.json'):
        return content
    text = content.decode()
    assert 'torch.ops.aten.relu_.default' in text
    return text.replace('torch.ops.aten.relu_.default', 'torch.ops.os.system').encode()


def with_shape(name, content):
    if not name.endswith('models/model.json'):
        return content
    tree = json.loads(content)

    def spoil(node):
        if isinstance(node, dict):
            return {k: '__import__("os")' if k == 'expr_str' else spoil(v) for k, v in node.items()}
        return [spoil(child) for child in node] if isinstance(node, list) else node

    return json.dumps(spoil(tree)).encode()


def test_a_program_with_more_in_it_is_refused(export, tmp_path):
    path = changed(export('.pt2', 'fp32'), tmp_path / 'more.pt2', lambda name, content: content)
    with zipfile.ZipFile(path, 'a') as archive:
        archive.writestr('archive/data/constants/custom_obj_0', b'')
    with pytest.raises(ValueError, match=r"it holds '.*custom_obj_0'"):
        load_model(path, 'cpu')


@pytest.mark.parametrize('change', [with_pickle, with_call, with_shape])
def test_a_program_that_would_run_code_is_refused(export, tmp_path, capsys, change):
    path = changed(export('.pt2', 'fp32'), tmp_path / 'evil.pt2', change)
    with pytest.raises(ValueError, match='is no program that can be read without running code'):
        load_model(path, 'cpu')
    assert 'code has run' not in capsys.readouterr().out
    same = changed(export('.pt2', 'fp32'), tmp_path / 'same.pt2', lambda name, content: content)
    load_model(same, 'cpu')


SIGNALLED = """
import faulthandler, os, signal, sys, time
faulthandler.enable()  # has a stack for signal handlers, as pytest and OpenVINO do
from mmdistill.deploy import load_model
signal.signal(signal.SIGALRM, lambda *_: os._exit(7))
first = load_model(sys.argv[1], 'cpu')
second = load_model(sys.argv[1], 'cpu')
del first
del second
signal.alarm(1)
time.sleep(60)
"""


def test_a_signal_after_two_models_of_openvino_reaches_its_handler(export):
    words = [sys.executable, '-W', 'ignore', '-c', SIGNALLED, str(export('.xml', 'fp32'))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 7, done.stderr
