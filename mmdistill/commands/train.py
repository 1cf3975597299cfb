"""Train any config: `mmdistill train configs/distill/swin_ek100_rgbflowobj.py`."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log

from ..cache import use_teacher_cache
from ..compat import adapt_to_cpu
from ..config_options import KeyValues
from ..config_paths import Places
from ..config_summary import log_start
from ..config_tools import check_schedule, load_config
from ..data_checks import check_run
from ..files import find_file
from ..locks import training_lock
from ..places import check_output
from ..ranges import COUNT, SEED
from ..resume import latest_checkpoint
from ..runner import CheckedRunner, nothing_to_resume
from ..selection import apply_selection
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; the flags are those of MMAction2's tools/train.py."""
    parser = argparse.ArgumentParser(description='Train an expert, a student or a detector.')
    parser.add_argument('config', help='path of the config file')
    parser.add_argument('--work-dir', help='logs and checkpoints; default work_dirs/<config name>')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='continue from the last checkpoint of the work dir, or from the given one',
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision (GPU)')
    parser.add_argument('--no-validate', action='store_true', help='do not validate on the way')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale LR with batch size')
    parser.add_argument('--seed', type=SEED, help='seed of weights, shuffling and augmentation')
    parser.add_argument('--diff-rank-seed', action='store_true', help='another seed on each rank')
    parser.add_argument('--deterministic', action='store_true', help='deterministic CUDNN')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValues,
        help='override settings: key=value; data_root=DIR and expert_dir=DIR move every path',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=COUNT, default=0)
    args = parser.parse_args(argv)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def build_config(args: argparse.Namespace) -> Config:
    """The config file with everything that the command line says."""
    cfg = load_config(args.config, args.cfg_options)
    check_schedule(cfg)
    cfg.launcher = args.launcher
    name = Path(args.config).stem
    default_dir = cfg.get('work_dir') or Places(args.config).output(f'work_dirs/{name}')
    cfg.work_dir = args.work_dir or default_dir
    check_output(cfg.work_dir, folder=True)
    apply_selection(cfg)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    found = latest_checkpoint(cfg.work_dir) if args.resume == 'auto' else args.resume
    if found:
        cfg.resume, cfg.load_from = True, found
    elif args.resume:
        print_log(nothing_to_resume(cfg.work_dir), 'current')
    if cfg.get('load_from'):
        advice = 'give the path of yours, or start without one: load_from=None'
        cfg.load_from = find_file(cfg.load_from, 'checkpoint', advice)
    if args.amp:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.auto_scale_lr:
        cfg.auto_scale_lr = dict(cfg.get('auto_scale_lr') or {}, enable=True)
    randomness = {'seed': None, **(cfg.get('randomness') or {})}
    if args.seed is not None:
        randomness['seed'] = args.seed
    cfg.randomness = dict(
        randomness, diff_rank_seed=args.diff_rank_seed, deterministic=args.deterministic
    )
    return adapt_to_cpu(use_teacher_cache(cfg))


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Train."""
    args = parse_args(argv)
    cfg = build_config(args)
    with training_lock(cfg.work_dir, args.launcher):
        runner = CheckedRunner.from_cfg(cfg)
        check_run(runner)
        log_start(runner, args.cfg_options or ())
        runner.train()
