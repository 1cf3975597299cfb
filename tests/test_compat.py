"""Each repair is shown to work on the real upstream packages, and to do no more than it must."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import mmengine.config.config
import mmengine.utils
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, build_optim_wrapper

from mmdistill import compat


def run_python(code: str, **environment: str) -> str:
    """Run a program in a new interpreter, from which no import of ours leaks in; its output."""
    done = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code)],
        env={**os.environ, 'OMP_NUM_THREADS': '1', **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def fake_transformers(folder: Path) -> None:
    """Install a `transformers` of a fitting version that, as is common, came without timm."""
    (folder / 'transformers').mkdir()
    (folder / 'transformers' / '__init__.py').write_text('class BertTokenizer: ...\n')
    metadata = folder / 'transformers-4.40.0.dist-info'
    metadata.mkdir()
    (metadata / 'METADATA').write_text(
        'Metadata-Version: 2.1\nName: transformers\nVersion: 4.40.0\n'
    )


def test_importing_the_package_is_light():
    loaded = run_python("""
        import json, sys
        import mmdistill
        print(json.dumps(sorted(sys.modules)))
    """)
    heavy = {'mmaction.models', 'mmdet', 'mmcv.ops', 'decord', 'mmengine.runner'}
    assert not heavy & set(json.loads(loaded))


def test_mmaction_models_import_without_drn_and_beside_lone_transformers(tmp_path):
    fake_transformers(tmp_path)
    output = run_python(
        """
        import mmdistill
        import mmaction.models
        from mmaction.models.localizers import DRN
        from mmaction.registry import MODELS
        from mmaction.utils.dependency import WITH_MULTIMODAL
        from mmdistill.compat import _package_folder
        shipped = (_package_folder('mmaction') / 'models/localizers/drn/drn.py').exists()
        try:
            DRN()
            answer = 'built'
        except (ImportError, TypeError) as error:
            answer = str(error)
        print(MODELS.get('Recognizer3D').__name__, WITH_MULTIMODAL, shipped or '2714' in answer)
        """,
        PYTHONPATH=str(tmp_path),
    )
    assert output.split()[-3:] == ['Recognizer3D', 'False', 'True']


def test_applying_twice_changes_nothing():
    before = set(torch.serialization.get_safe_globals()), sys.modules.get(compat.DRN_MODULE)
    compat.apply()
    assert before == (
        set(torch.serialization.get_safe_globals()),
        sys.modules.get(compat.DRN_MODULE),
    )


def test_reading_bases_of_other_packages_loads_no_pkg_resources():
    """Which warns of itself where it still exists."""
    output = run_python(
        """
        import sys
        import mmdistill
        from mmengine.hub import get_config
        print(get_config('mmaction::_base_/models/slowonly_r50.py').model.type)
        print('pkg_resources' in sys.modules)
        """
    )
    assert output.split() == ['Recognizer3D', 'False']


def test_bases_of_other_packages_resolve_without_pkg_resources(monkeypatch, tmp_path):
    for module in ('mmengine.config.config', 'mmengine.utils', 'mmengine.utils.package_utils'):
        for name in ('is_installed', 'get_installed_path'):
            if hasattr(sys.modules[module], name):  # put back after the test
                monkeypatch.setattr(sys.modules[module], name, getattr(sys.modules[module], name))
    monkeypatch.setitem(sys.modules, 'pkg_resources', None)  # an import of it fails
    config = tmp_path / 'config.py'
    config.write_text("_base_ = 'mmaction::_base_/models/slowonly_r50.py'\n")
    compat.replace_pkg_resources()
    assert Config.fromfile(config).model.type == 'Recognizer3D'
    assert mmengine.utils.is_installed('mmaction2') and not mmengine.utils.is_installed('mmnothing')
    with pytest.raises(ModuleNotFoundError, match='pip install mmnothing'):
        mmengine.utils.get_installed_path('mmnothing')


def test_a_dumped_config_keeps_the_order_of_its_entries(tmp_path):
    steps = dict(sample=dict(type='S', clip_len=8), load=dict(type='L'), pack=dict(type='P'))
    cfg = Config(dict(pipeline=steps, names={'z.y': 1, 'a.b': 2}, experts=dict(rgb=1, flow=2)))
    cfg.dump(tmp_path / 'copy.py')
    copy = Config.fromfile(tmp_path / 'copy.py')
    assert copy.to_dict() == cfg.to_dict()
    assert list(copy.pipeline) == ['sample', 'load', 'pack']
    assert list(copy.pipeline.sample) == ['type', 'clip_len']
    assert list(copy.names) == ['z.y', 'a.b']
    assert list(copy.experts) == ['rgb', 'flow']


def test_config_order_is_left_alone_where_it_is_kept(monkeypatch):
    monkeypatch.setattr(mmengine.config.config, 'sorted', lambda items, key=None: list(items))
    kept = mmengine.config.config.sorted
    compat.keep_order_of_dumped_configs()
    assert mmengine.config.config.sorted is kept


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(compat, 'get_device', lambda: 'cpu')


@pytest.mark.parametrize('kind', ['AmpOptimWrapper', 'mmengine.AmpOptimWrapper'])
def test_mixed_precision_becomes_full_precision_on_a_cpu(no_accelerator, kind):
    cfg = Config(
        dict(
            optim_wrapper=dict(
                type=kind,
                loss_scale='dynamic',
                dtype='float16',
                clip_grad=dict(max_norm=5),
                optimizer=dict(type='AdamW', lr=1e-4),
            )
        )
    )
    wrapper = compat.adapt_to_cpu(cfg).optim_wrapper
    assert set(wrapper) == {'type', 'clip_grad', 'optimizer'}
    assert wrapper.type == 'OptimWrapper' and wrapper.clip_grad.max_norm == 5
    assert isinstance(build_optim_wrapper(torch.nn.Linear(1, 1), wrapper), OptimWrapper)


def test_config_is_left_alone_where_a_gpu_is_seen(monkeypatch):
    monkeypatch.setattr(compat, 'get_device', lambda: 'cuda')
    cfg = Config(dict(launcher='pytorch', optim_wrapper=dict(type='AmpOptimWrapper')))
    adapted = compat.adapt_to_cpu(cfg)
    assert adapted.to_dict() == dict(launcher='pytorch', optim_wrapper=dict(type='AmpOptimWrapper'))


def test_launcher_that_needs_gpus_is_an_error_on_a_cpu(no_accelerator):
    with pytest.raises(ValueError, match="launcher='slurm'.*dist_train"):
        compat.adapt_to_cpu(Config(dict(launcher='slurm')))


def test_runner_trains_on_a_cpu_under_a_launcher(tmp_path):
    """One rank of gloo through MMEngine's own Runner, with an AMP config and DDP arguments."""
    output = run_python(
        """
        import os
        import torch
        from mmengine.config import Config
        from mmengine.model import BaseModel
        from mmengine.registry import MODELS
        from mmengine.runner import Runner
        from mmdistill.compat import adapt_to_cpu

        @MODELS.register_module()
        class Toy(BaseModel):
            def __init__(self):
                super().__init__()
                self.line = torch.nn.Linear(2, 1)
                self.unused = torch.nn.Linear(2, 1)
            def forward(self, inputs, mode):
                return dict(loss=self.line(torch.stack(inputs)).sum())

        loader = dict(
            batch_size=1, num_workers=0, dataset=[dict(inputs=torch.ones(2))] * 4,
            sampler=dict(type='DefaultSampler', shuffle=False),
        )
        cfg = Config(dict(
            model=dict(type='Toy'), work_dir=os.environ['WORK_DIR'], launcher='pytorch',
            train_dataloader=loader, train_cfg=dict(by_epoch=True, max_epochs=1),
            optim_wrapper=dict(type='AmpOptimWrapper', loss_scale='dynamic',
                               optimizer=dict(type='SGD', lr=0.1)),
            model_wrapper_cfg=dict(find_unused_parameters=True),
        ))
        runner = Runner.from_cfg(adapt_to_cpu(cfg))
        runner.train()
        print('RAN', type(runner.model).__name__, torch.distributed.get_backend(), runner.iter)
        torch.distributed.destroy_process_group()
        """,
        WORK_DIR=str(tmp_path),
        CUDA_VISIBLE_DEVICES='-1',
        RANK='0',
        LOCAL_RANK='0',
        WORLD_SIZE='1',
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT='0',
    )
    assert 'RAN MMDistributedDataParallel gloo 4' in output
