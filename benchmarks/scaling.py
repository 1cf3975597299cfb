"""f. How loading and steps grow with clips, views, experts and classes."""

import copy
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

from mmdistill.cache import CachedTeacher, CacheWriter, Manifest
from mmdistill.registry import DATASETS

from .clips import clips_on_disk
from .disk_recipes import multimodal
from .floor import answer, views_of
from .plots import Curve, write_panels
from .recipes import live
from .report import Section, table
from .sizes import TINY, Size
from .step_live import contenders, first_batch, models_of
from .stepped import ready_loop
from .timing import in_turns, spread

PLOT = 'scaling.svg'
EXPERTS = ('rgb', 'flow', 'obj', 'rgb')
CLASSES = (97, 300, 3806)
CACHED_BATCH = 8


class Axis(NamedTuple):
    """One thing that grows.

    Attributes:
        what: What is timed.
        over: What grows.
        points: Its values.
        build: Gives, for a value, what is to be timed by name.
    """

    what: str
    over: str
    points: tuple[int, ...]
    build: Callable[[int], dict[str, Callable[[], Any]]]


def run(size: Size, folder: Path) -> Section:
    """Measure every axis, draw all of them."""
    init_default_scope('mmaction')
    rounds = max(2, size.rounds // 2)
    curves = [measure(axis, rounds) for axis in axes(size, folder)]
    name = write_panels(curves, folder / PLOT if size is TINY else Path(__file__).with_name(PLOT))
    return Section('f', 'Scaling', text(curves, name))


def axes(size: Size, folder: Path) -> list[Axis]:
    """What is measured; networks of the demo, so that what does not grow with them shows."""
    small = replace(TINY, frames=size.frames, pixels=(64, 64))
    few = size is TINY
    counts = (1, 2) if few else (1, 2, 4, 8)
    clips = (10, 20) if few else (100, 1000, 10000, 67000)
    root = clips_on_disk(size, folder)
    return [
        Axis('step', 'clips of a batch', counts, lambda n: step(replace(small, batch=n), folder)),
        Axis('step', 'experts', (1, 2, 3, 4), lambda n: experts(n, small, folder)),
        Axis('step', 'classes', CLASSES, lambda n: step(small, folder, classes=dict(action=n))),
        Axis('loading', 'clips of the data set', clips, lambda n: loading(size, root, repeat=n)),
        Axis('loading', 'views of a clip', counts, lambda n: loading(size, root, views=n)),
        Axis('loading', 'modalities', (1, 2, 3), lambda n: loading(size, root, inputs=n)),
        Axis('cached teacher', 'classes', CLASSES, lambda n: cached_rows(n, folder)),
        Axis('teacher', 'views of a clip', counts, lambda n: teaching(n, small, folder)),
    ]


def measure(axis: Axis, rounds: int) -> Curve:
    """Milliseconds at every point of an axis."""
    by_name: dict[str, list[float]] = {}
    for point in axis.points:
        for name, times in in_turns(axis.build(point), rounds).items():
            by_name.setdefault(name, []).append(1000 * spread(times.wall).median)
    return Curve(axis.what, axis.over, list(axis.points), by_name)


def step(size: Size, folder: Path, **changes: Any) -> dict[str, Callable[[], Any]]:
    """A step with a live teacher, and the floor."""
    ours, floor = contenders(live(size, folder, **changes))
    return dict(mmdistill=ours, floor=floor)


def experts(number: int, size: Size, folder: Path) -> dict[str, Callable[[], Any]]:
    """A step under so many experts, of which the fourth reads what the first reads."""
    cfg = live(size, folder)
    known = cfg.teacher.experts
    chosen = {}
    for place, modality in enumerate(EXPERTS[:number]):
        chosen[f'{modality}{place}'] = dict(copy.deepcopy(known[modality]), modality=modality)
    cfg.teacher.experts = chosen
    ours, floor = contenders(cfg)
    return dict(mmdistill=ours, floor=floor)


def teaching(views: int, size: Size, folder: Path) -> dict[str, Callable[[], Any]]:
    """The teacher's answer for clips of so many views, and its networks alone."""
    cfg = live(size, folder)
    cfg.train_dataloader.dataset.views = views
    loop = ready_loop(cfg)
    batch, (_, teacher) = first_batch(loop), models_of(loop)
    ready = {k: views_of(x) for k, x in teacher.data_preprocessor.inputs(batch).items()}
    networks = {name: expert.recognizer for name, expert in teacher.experts.items()}

    @torch.no_grad()
    def floor() -> None:
        for name, network in networks.items():
            answer(network, ready[name])

    return dict(mmdistill=lambda: teacher.teach(dict(batch)), floor=floor)


def loading(
    size: Size, root: Path, repeat: int = 0, views: int = 1, inputs: int = 3
) -> dict[str, Callable[[], Any]]:
    """A clip of a data set: of `repeat` clips, in so many views, of so many modalities."""
    cfg = multimodal(root, size.frames, size.pixels)
    cfg['pipeline']['sample']['num_clips'] = views
    cfg['pipeline']['load']['inputs'] = cfg['pipeline']['load']['inputs'][:inputs]
    if repeat:
        head, *rows = (root / 'train.csv').read_text().splitlines()
        numbered = [f'{row},{i}' for i, row in zip(range(repeat), itertools.cycle(rows))]
        path = root / f'train_{repeat}.csv'
        path.write_text('\n'.join([f'{head},sample_id', *numbered, '']))
        cfg['ann_file'] = path.name
    clips = DATASETS.build(cfg)
    indices = itertools.cycle(range(len(clips)))
    return dict(mmdistill=lambda: clips[next(indices)])


def cached_rows(num_classes: int, folder: Path) -> dict[str, Callable[[], Any]]:
    """The answer of a cached teacher of three experts for a batch."""
    place = folder / f'rows_{num_classes}'
    ids = [f'clip{i}' for i in range(64)]
    manifest = Manifest(
        views=1,
        clips_per_shard=64,
        top_k=None,
        experts=['rgb', 'flow', 'obj'],
        num_classes=dict(action=num_classes),
        class_names={},
        sample_ids=ids,
        fingerprint={},
    )
    writer = CacheWriter(place, manifest)
    writer.begin()
    writer.write_shards(
        lambda view, clips: (
            dict(action=torch.randn(len(clips), 3, num_classes)),
            torch.ones(len(clips), 3),
        )
    )
    teacher = CachedTeacher(place, dict(type='mmdistill.UniformWeighting'))
    samples = [ActionDataSample(metainfo=dict(sample_id=name, augmentation=0)) for name in ids[::8]]
    return dict(mmdistill=lambda: teacher.teach(dict(data_samples=samples[:CACHED_BATCH])))


def text(curves: list[Curve], plot: str) -> str:
    """The plot, and its numbers."""
    rows = [
        [
            f'{curve.what}, by {curve.over}',
            name,
            ', '.join(f'{x:,}: {y:.1f}' for x, y in zip(curve.points, values, strict=True)),
        ]
        for curve in curves
        for name, values in curve.milliseconds.items()
    ]
    return '\n\n'.join(
        [
            "Milliseconds. Steps are of the demo's small networks, so that what surrounds them "
            'shows; clips are loaded from H.264 and JPEGs, in one process.',
            f'![Milliseconds over clips, views, experts and classes]({plot})',
            table(['', '', 'milliseconds'], rows),
        ]
    )
