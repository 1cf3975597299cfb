"""Run the experts once: `mmdistill cache-teacher CONFIG OUT --views 5`.

Training with `--cfg-options teacher_cache=OUT` then needs neither experts nor their modalities.
Run it again after an interruption: what is finished is kept. On several GPUs:
`torchrun --nproc_per_node 4 mmdistill cache-teacher CONFIG OUT --views 5 --launcher pytorch`.
"""

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import barrier, get_dist_info, init_dist, is_distributed, is_main_process
from mmengine.registry import DATASETS, init_default_scope
from mmengine.runner import Runner

from ..cache import CacheWriter, Manifest, fingerprint, inner_dataset
from ..cache.cached_teacher import sample_ids
from ..cache.fingerprint import augmentation_seed, frozen_experts
from ..cache.writer import expert_answers
from ..compat import adapt_to_cpu
from ..config_options import KeyValues
from ..config_tools import load_config
from ..data_checks import check_loader
from ..files import remove_parts
from ..hooks import collect_holdout
from ..locks import output_lock
from ..models import MultimodalTeacher
from ..places import check_output
from ..ranges import ONE_OR_MORE, SEED
from ..registry import MODELS
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Store the logits of the experts of a teacher.')
    parser.add_argument('config', help='config of a distillation, as it would be trained')
    parser.add_argument('out', type=Path, help='folder of the cache')
    parser.add_argument('--views', type=ONE_OR_MORE, default=1, help='augmentation epochs to store')
    parser.add_argument(
        '--top-k', type=ONE_OR_MORE, help='classes to keep per expert; default: all'
    )
    parser.add_argument('--clips-per-shard', type=ONE_OR_MORE, default=1024)
    parser.add_argument('--seed', type=SEED, help="seed of the augmentations, if not the config's")
    parser.add_argument('--cfg-options', nargs='+', action=KeyValues, help='override settings')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    return parser.parse_args(argv)


def load(args: argparse.Namespace) -> Config:
    """The config, with the seed that training will have."""
    cfg = load_config(args.config, args.cfg_options)
    randomness = dict(cfg.get('randomness') or {})
    if args.seed is not None:
        randomness['seed'] = args.seed
    if randomness.get('seed') is None:
        raise ValueError(
            f'{args.config} has no seed, so its augmentations cannot be repeated: give --seed '
            'here, and the same to mmdistill train.'
        )
    cfg.randomness = randomness
    if 'teacher' not in cfg:
        raise ValueError(f'{args.config} has no top-level `teacher`: nothing to store.')
    frozen_experts(cfg.teacher)
    return cfg


def write(cfg: Config, args: argparse.Namespace) -> CacheWriter:
    """Write what is missing of the cache."""
    rank, world_size = get_dist_info()
    dataset = DATASETS.build(inner_dataset(cfg.train_dataloader['dataset']))
    ids = sample_ids(dataset)
    teacher = MODELS.build(cfg.teacher).to(get_device())
    manifest = Manifest(
        views=args.views,
        clips_per_shard=args.clips_per_shard,
        top_k=args.top_k,
        experts=list(teacher.experts),
        num_classes=dict(teacher.num_classes),
        class_names=dict(teacher.class_names),
        sample_ids=ids,
        fingerprint=fingerprint(cfg, cfg.teacher, ids),
    )
    writer = CacheWriter(args.out, manifest)
    if is_main_process():
        remove_parts(args.out)
    barrier()  # every rank has looked at what is there before anything is written
    if is_main_process():
        writer.begin()
    store_holdout(cfg, teacher, writer)
    loader = {key: cfg.train_dataloader.get(key, 0) for key in ('batch_size', 'num_workers')}
    answers = expert_answers(teacher, dataset, augmentation_seed(cfg), loader)
    written = writer.write_shards(answers, rank, world_size)
    print(f'Rank {rank}: {written} shards written, the others were there.', flush=True)
    barrier()
    return writer


def store_holdout(cfg: Config, teacher: MultimodalTeacher, writer: CacheWriter) -> None:
    """Let the experts answer for the holdout, where the config has one."""
    if not cfg.get('holdout_dataloader'):
        return
    loader = Runner.build_dataloader(dict(cfg.holdout_dataloader), seed=cfg.randomness['seed'])
    check_loader('holdout_dataloader', loader, teacher)
    holdout = collect_holdout(teacher, loader, len(loader.dataset))
    if is_main_process():
        writer.write_holdout(holdout.expert_logits, holdout.labels)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Write the cache and say how large it is."""
    args = parse_args(argv)
    cfg = load(args)
    check_output(args.out, folder=True)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    cfg.launcher = args.launcher
    adapt_to_cpu(cfg)  # gloo, where there is no GPU
    if args.launcher != 'none' and not is_distributed():
        init_dist(args.launcher)
    with output_lock(args.out, inside='cache') if is_main_process() else nullcontext():
        writer = write(cfg, args)
    if is_main_process():
        stored = writer.manifest
        print(
            f'{args.out}: {len(stored.sample_ids)} clips in {stored.views} views, '
            f'{writer.bytes_per_1000_clips / 1e6:.3f} MB per 1,000 clips and view.'
        )
