"""Repairs of known upstream faults; the other places are `compat_heads.py`, `compat_backends.py`
and `compat_checkpoints.py`.

`import mmdistill` calls `apply()`; it must run before anything imports `mmaction.models`. Each
repair names its upstream issue and when it may go, does nothing where upstream is healthy, and may
be called any number of times. `adapt_to_cpu()` changes a config and is called by the tools.
"""

import importlib
import importlib.util
import logging
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.device import get_device
from mmengine.logging import print_log

from .compat_checkpoints import (
    download_weights_only,
    require_safe_torch,
    trust_mmengine_checkpoints,
)

DRN_MODULE = 'mmaction.models.localizers.drn'
# What mmaction.models.multimodal imports once `transformers` is there, and does not check.
VINDLU_IMPORTS = {
    'timm.models.layers': ('DropPath',),
    'transformers': ('BertTokenizer',),
    'transformers.file_utils': ('add_start_docstrings_to_model_forward',),
    'transformers.modeling_utils': (
        'apply_chunking_to_forward',
        'find_pruneable_heads_and_indices',
        'prune_linear_layer',
    ),
    'transformers.models.beit.modeling_beit': ('BeitRelativePositionBias', 'BeitDropPath'),
}


def apply() -> None:
    """Apply every repair that needs no config."""
    require_safe_torch()
    provide_missing_drn()
    skip_broken_multimodal()
    trust_mmengine_checkpoints()
    download_weights_only()
    replace_pkg_resources()
    keep_order_of_dumped_configs()
    inherit_from_own_configs()
    accept_what_upstream_calls()


def provide_missing_drn() -> None:
    """Stand in for the DRN localizer, without which `mmaction.models` cannot be imported.

    Upstream: https://github.com/open-mmlab/mmaction2/issues/2714 (the 1.2.0 wheel was packed
    without the folder). May go when mmaction2 > 1.2.0 ships it.
    """
    root = _package_folder('mmaction')
    healthy = root is None or (root / 'models' / 'localizers' / 'drn' / 'drn.py').exists()
    if healthy or DRN_MODULE in sys.modules:
        return

    class DRN:
        """Placeholder: says where the real localizer is when a config asks for it."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            raise ImportError(
                'DRN is missing from the mmaction2 wheel (mmaction2 issue 2714). '
                'Install mmaction2 from its source to use it.'
            )

    package = types.ModuleType(DRN_MODULE)
    package.__path__ = []
    package.drn = types.ModuleType(f'{DRN_MODULE}.drn')
    package.drn.DRN = DRN
    sys.modules[package.__name__] = package
    sys.modules[package.drn.__name__] = package.drn


def skip_broken_multimodal() -> None:
    """Let `mmaction.models` leave VindLU out where `transformers` is installed but cannot serve it.

    Upstream: `mmaction/utils/dependency.py` looks at the version of transformers alone, then VindLU
    also needs timm, a torchvision that fits torch, and transformers < 5; not reported. May go when
    mmaction2 checks what it imports.
    """
    if importlib.util.find_spec('transformers') is None:
        return
    fault = _first_import_fault()
    if fault is None:
        return
    dependency = importlib.import_module('mmaction.utils.dependency')
    if dependency.WITH_MULTIMODAL:
        dependency.WITH_MULTIMODAL = False
        logging.getLogger(__name__).info('VindLU of MMAction2 is left out: %s', fault)


def replace_pkg_resources() -> None:
    """Give MMEngine package look-ups that work without `pkg_resources`.

    Upstream: https://github.com/open-mmlab/mmengine/pull/1676 (setuptools >= 82 dropped the module
    that `_base_ = 'mmaction::…'` and `get_config` need; earlier ones warn of it at every start).
    May go when MMEngine > 0.10.7 is required.
    """
    for name in ('utils.package_utils', 'utils', 'config.config', 'hub.hub'):
        module = sys.modules.get(f'mmengine.{name}')  # hub, imported later, takes those of utils
        for function in (is_installed, get_installed_path):
            if hasattr(module, function.__name__):
                setattr(module, function.__name__, function)


def keep_order_of_dumped_configs() -> None:
    """Write a config to its work dir with the entries in their order, not in the alphabet's.

    Upstream: `Config.pretty_text` of MMEngine 0.10.7 sorts every dict, so the named steps of a
    pipeline and the experts of a teacher change places when the copy is read; not reported. May go
    when it keeps the order.
    """
    if Config(dict(b=0, a=0), format_python_code=False).pretty_text.startswith('b'):
        return
    # Its module's only call of `sorted` is the one in question; a name of its own goes first.
    module = importlib.import_module('mmengine.config.config')
    module.sorted = lambda items, key=None: list(items)


def inherit_from_own_configs() -> None:
    """Let a config inherit `mmdistill::distill/….py`, as it may from the packages of OpenMMLab.

    MMEngine 0.10.7 knows a fixed list of packages, and marks all dicts of such a base with the
    scope of its package. Ours name each part of ours, and what is left is MMAction2's: no mark.
    May go when MMEngine finds packages by their `.mim` folder and takes the base's `default_scope`.
    """
    MODULE2PACKAGE['mmdistill'] = 'mmdistill'
    upstream = Config._get_cfg_path
    if getattr(upstream, 'knows_own_configs', False):
        return

    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        path, scope = upstream(cfg_path, filename)
        return path, None if scope == 'mmdistill' else scope

    get_cfg_path.knows_own_configs = True
    Config._get_cfg_path = staticmethod(get_cfg_path)


def accept_what_upstream_calls() -> None:
    """Say nothing of two calls of upstream that torch will want otherwise, and nobody here makes.

    Upstream: Swin of MMAction2 1.2.0 and mmdet 3.3.0 call `torch.meshgrid` without `indexing`, and
    MMEngine 0.10.7 gives DDP `broadcast_buffers`; not reported. May go when they do not.
    """
    warnings.filterwarnings('ignore', 'torch.meshgrid: in an upcoming release', UserWarning)
    warnings.filterwarnings('ignore', '.broadcast_buffers. is deprecated', FutureWarning)


def is_installed(package: str) -> bool:
    """Whether a distribution or a module of that name is installed."""
    return _package_folder(_module_name(package)) is not None


def get_installed_path(package: str) -> str:
    """Folder of the package that a distribution (`mmaction2`) or module name stands for.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    folder = _package_folder(_module_name(package))
    if folder is None:
        raise ModuleNotFoundError(f'{package} is not installed: pip install {package}')
    return str(folder)


def adapt_to_cpu(cfg: Config) -> Config:
    """Make a config run where there is no accelerator; elsewhere leave it alone.

    Call it just before `Runner.from_cfg`. Two launched processes talk over gloo, DDP gets no device
    ids, and mixed precision (which MMEngine offers on accelerators only) becomes full precision.

    Upstream: MMEngine 0.10.7 assumes CUDA in `dist/utils.py`, `Runner.wrap_model` and
    `AmpOptimWrapper`; not reported. May go when these three accept a CPU.

    Raises:
        ValueError: A launcher other than `pytorch` on a machine without accelerators.
    """
    if get_device() != 'cpu':
        return cfg
    launcher = cfg.get('launcher', 'none')
    if launcher not in ('none', 'pytorch'):
        raise ValueError(
            f'launcher={launcher!r} needs GPUs, and this machine shows none. '
            "Use launcher='pytorch' (tools/dist_train.sh) on CPUs."
        )
    if launcher == 'pytorch':
        _use_gloo(cfg)
    _use_full_precision(cfg)
    return cfg


def _use_gloo(cfg: Config) -> None:
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    wrapper = dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    wrapper.update(cfg.get('model_wrapper_cfg') or {})
    # Assigned as a whole: Config.setdefault would work on a copy.
    cfg.model_wrapper_cfg = {**wrapper, 'device_ids': None}


def _use_full_precision(cfg: Config) -> None:
    optim_wrapper = cfg.get('optim_wrapper') or {}
    kind = optim_wrapper.get('type', '')
    name = kind if isinstance(kind, str) else kind.__name__
    if name.rpartition('.')[2] != 'AmpOptimWrapper':
        return
    amp_only = ('loss_scale', 'dtype', 'use_fsdp')
    plain = {key: value for key, value in optim_wrapper.items() if key not in amp_only}
    cfg.optim_wrapper = {**plain, 'type': 'OptimWrapper'}
    print_log(
        'No GPU: training runs in full precision (OptimWrapper instead of AmpOptimWrapper).',
        logger='current',
    )


def _first_import_fault() -> str | None:
    """Why VindLU could not be imported, or None if it could."""
    for module, names in VINDLU_IMPORTS.items():
        try:
            loaded = importlib.import_module(module)
        # A torchvision that does not fit torch raises RuntimeError; others raise what they like.
        except Exception as error:
            return f'{module}: {error}'
        missing = [name for name in names if not hasattr(loaded, name)]
        if missing:
            return f'{module} has no {missing[0]}'
    return None


def _package_folder(module: str) -> Path | None:
    """Folder of a package, found without importing it."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _module_name(package: str) -> str:
    modules = {distribution: module for module, distribution in MODULE2PACKAGE.items()}
    return modules.get(package, package)
