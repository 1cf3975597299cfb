"""d. Loading clips of RGB, flow and boxes: against the paper's way, and against decoding alone."""

import cProfile
import itertools
import pstats
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.registry import init_default_scope

from mmdistill.datasets import MultimodalDataset
from mmdistill.registry import DATASETS
from mmdistill.video import read_clip

from .clips import clips_on_disk
from .disk_recipes import FILES, INTERVAL, PACKS, multimodal
from .per_frame_loading import PerFrameClips
from .report import Section, comparison, table
from .sizes import Size
from .timing import Times, in_turns, spread

FASTER_GOAL, DECODING_GOAL = 3.0, 0.7
NUM_COSTS = 6


def run(size: Size, folder: Path) -> Section:
    """Time all ways of loading, clip by clip in one process, and say how they compare."""
    cv2.setNumThreads(1)
    init_default_scope('mmaction')
    root = clips_on_disk(size, folder)
    ways = contenders(size, root)
    times = in_turns(ways, rounds=3 * size.clips)
    costs = costliest(ways['mmdistill, packs'], 2 * size.clips)
    return Section('d', 'Loading RGB, flow and boxes', text(size, times, costs))


def contenders(size: Size, root: Path) -> dict[str, Callable[[], Any]]:
    """Name to what loads the next clip."""
    pixels = (size.loading_pixels,) * 2
    sampler = dict(clip_len=size.loading_frames, frame_interval=INTERVAL)
    from_packs, from_files = (
        DATASETS.build(multimodal(root, size.loading_frames, pixels, media))
        for media in (PACKS, FILES)
    )
    names = [from_packs.load_record(i)['video_id'] for i in range(size.clips)]
    per_frame = PerFrameClips(root, names, size.loading_pixels, **sampler)
    ways = {
        'mmdistill, packs': from_packs.__getitem__,
        'mmdistill, video and JPEGs': from_files.__getitem__,
        'frame by frame, packs': per_frame.__getitem__,
        'decoding alone, packs': lambda i: decode_packs(size, per_frame, i),
        'decoding alone, video and JPEGs': lambda i: decode_files(size, root, from_files, i),
    }
    return {name: _next_clip(way, size.clips) for name, way in ways.items()}


def _next_clip(load: Callable[[int], Any], num_clips: int) -> Callable[[], Any]:
    indices = itertools.cycle(range(num_clips))
    return lambda: load(next(indices))


def sampled(size: Size, index: int) -> np.ndarray:
    """Frames of a clip that begins somewhere, another one each time."""
    return np.random.default_rng(index).integers(0, 8) + INTERVAL * np.arange(size.loading_frames)


def decode_packs(size: Size, clips: PerFrameClips, index: int) -> None:
    """Read and decompress the JPEGs of a clip, nothing else."""
    inds, name = sampled(size, index), clips.names[index]
    rows = (2 * inds[:, None] + np.arange(2)).ravel()
    for content in clips.rgb[name][inds]:
        cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    for content in clips.flow[name][rows]:
        cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)


def decode_files(size: Size, root: Path, clips: MultimodalDataset, index: int) -> None:
    """Decode the frames of a clip's video and its flow images, nothing else."""
    record, inds = clips.load_record(index), sampled(size, index)
    read_clip(Path(record['media']['rgb']), inds)
    folder = Path(record['media']['flow'])
    for number, axis in itertools.product(inds + 1, 'uv'):
        content = (folder / axis / f'frame_{number:010d}.jpg').read_bytes()
        cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)


def costliest(load: Callable[[], Any], clips: int) -> list[list[str]]:
    """The functions in which loading spends most, and the milliseconds per clip."""
    profile = cProfile.Profile(time.process_time)
    for _ in range(clips):
        profile.runcall(load)
    stats = pstats.Stats(profile).stats
    by_time = sorted(stats, key=lambda place: -stats[place][2])[:NUM_COSTS]
    names = [
        f'`{Path(file).name}: {name}`' if line else f'`{name}`' for file, line, name in by_time
    ]
    return [[n, f'{1000 * stats[p][2] / clips:.1f}'] for n, p in zip(names, by_time, strict=True)]


def text(size: Size, times: dict[str, Times], costs: list[list[str]]) -> str:
    """The table, and whether the goals are met."""
    rows = [
        [name, *(spread([1 / x for x in seconds]).text(1) for seconds in found)]
        for name, found in times.items()
    ]
    lines = [
        f'Clips of {size.loading_frames} frames, {size.video[0]} × {size.video[1]} on disk, '
        f"{size.loading_pixels} px loaded, one process. *Frame by frame* is how the paper's public "
        'code loads them: h5py, Pillow, and a torchvision-style transform of each frame (resize, '
        'crop, flip, to float), written anew here in `per_frame_loading.py`. *Decoding alone* '
        'reads and decompresses the same files and throws the pixels away.',
        table(['', 'clips per second', 'per second of processor time'], rows),
        comparison(
            'mmdistill ÷ frame by frame, packs, in clips per second',
            times['frame by frame, packs'],
            times['mmdistill, packs'],
            FASTER_GOAL,
            at_most=False,
        ),
    ]
    for kind in ('packs', 'video and JPEGs'):
        alone, ours = (times[f'{way}, {kind}'] for way in ('decoding alone', 'mmdistill'))
        what = f'mmdistill ÷ decoding alone, {kind}, in clips per second'
        lines.append(comparison(what, alone, ours, DECODING_GOAL, at_most=False))
    lines.append('Where the time of *mmdistill, packs* goes, profiled:')
    lines.append(table(['', 'ms of processor time per clip'], costs))
    return '\n\n'.join(lines)
