"""How large a teacher cache will be: `mmdistill cache-size --classes 97 300`.

Writes one shard of random logits as `mmdistill cache-teacher` writes them, and measures it.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from ..cache import CacheWriter, Manifest
from ..ranges import ONE_OR_MORE, Range
from ..user_errors import one_line_errors

MEASURED_CLIPS = 1024


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--classes',
        type=Range(1, 1_000_000, whole=True),
        nargs='+',
        required=True,
        help='of each task',
    )
    parser.add_argument('--experts', type=Range(1, 1000, whole=True), default=3)
    parser.add_argument('--top-k', type=ONE_OR_MORE, help='as mmdistill cache-teacher takes it')
    parser.add_argument('--clips', type=ONE_OR_MORE, default=1000, help='of the training set')
    parser.add_argument('--views', type=ONE_OR_MORE, default=1)
    return parser.parse_args(argv)


def bytes_per_clip(classes: Sequence[int], num_experts: int, top_k: int | None) -> float:
    """Size of a clip in a view, measured on a shard."""
    tasks = {f'task{i}': number for i, number in enumerate(classes)}
    manifest = Manifest(
        views=1,
        clips_per_shard=MEASURED_CLIPS,
        top_k=top_k,
        experts=[f'expert{i}' for i in range(num_experts)],
        num_classes=tasks,
        class_names={},
        sample_ids=[str(i) for i in range(MEASURED_CLIPS)],
        fingerprint={},
    )

    def answer(view: int, clips: range) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        shape = len(clips), num_experts
        logits = {task: torch.randn(*shape, number) for task, number in tasks.items()}
        return logits, torch.ones(shape, dtype=torch.bool)

    with tempfile.TemporaryDirectory() as folder:
        writer = CacheWriter(Path(folder), manifest)
        writer.write_shards(answer)
        return writer.bytes_per_1000_clips / 1000


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Say how large the cache will be."""
    args = parse_args(argv)
    size = bytes_per_clip(args.classes, args.experts, args.top_k)
    total = size * args.clips * args.views / 1e9
    print(
        f'{args.experts} experts, {" + ".join(map(str, args.classes))} classes: {size / 1e3:.3f} '
        f'MB per 1,000 clips and view; {args.clips:,} clips in {args.views} views: {total:.2f} GB.'
    )
