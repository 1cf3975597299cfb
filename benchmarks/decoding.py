"""Which decoder, with how many threads, reads the frames of a clip fastest."""

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

from mmdistill.video import index_video, read_clip, read_clip_by_decord
from projects.demo.rendering.renderer import render_demo

from .clips import clips_on_disk
from .report import Section, table
from .sizes import Size
from .timing import in_turns, ratio, spread

DEFAULT = 'PyAV, 1 thread'
LONG_MINUTES = 10


def run(size: Size, folder: Path) -> Section:
    """Time every way on the demo's videos, on short ones of EPIC-KITCHENS' size, and a long one."""
    cv2.setNumThreads(1)
    demo = folder / f'demo_{size.clips}'
    render_demo(demo, num_train=size.clips, num_val=1)
    short = sorted(clips_on_disk(size, folder).glob('videos/*.mp4'))
    kinds = {
        "the demo's, 128 × 96, MPEG-4": sorted(demo.glob('*/videos/*.MP4')),
        f'{size.video[0]} × {size.video[1]}, H.264': short,
        f'the same, {LONG_MINUTES} minutes long': [long_video(short, folder)],
    }
    rows = []
    for kind, videos in kinds.items():
        times = in_turns(contenders(videos, size), size.rounds)
        for name, found in times.items():
            against = ratio(found.wall, times[DEFAULT].wall).text(2)
            processor = ratio(found.cpu, times[DEFAULT].cpu).text(2)
            cells = spread([1000 * x for x in found.wall]).text(1), against, processor
            rows.append([kind, name, *cells])
    return Section('', 'Decoding', text(size, rows))


def contenders(videos: list[Path], size: Size) -> dict[str, Callable[[], np.ndarray]]:
    """Every way of reading the frames of a clip somewhere in the videos, the file opened anew."""
    ways = {
        f'{name}, {threads} thread{"s" if threads > 1 else ""}': partial(way, num_threads=threads)
        for name, way in (('PyAV', read_clip), ('decord', read_clip_by_decord))
        for threads in (1, 2)
    }
    rng = np.random.default_rng(0)
    offsets_F = 2 * np.arange(size.loading_frames)
    lengths = {path: index_video(path).num_frames for path in videos}
    clips = []
    for path in itertools.islice(itertools.cycle(videos), 100):
        last = max(1, lengths[path] - int(offsets_F[-1]))
        inds_F = rng.integers(0, last) + offsets_F
        clips.append((path, inds_F[inds_F < lengths[path]]))
    return {name: _next_clip(way, clips) for name, way in ways.items()}


def _next_clip(way: Callable[[Path, np.ndarray], np.ndarray], clips: list) -> Callable:
    endless = itertools.cycle(clips)
    return lambda: way(*next(endless))


def long_video(videos: list[Path], folder: Path) -> Path:
    """One file as long as EPIC-KITCHENS' are, of short ones end to end; nothing is encoded anew."""
    path = folder / f'long_{videos[0].parents[1].name}.mp4'
    if path.exists():
        return path
    partial_path = path.with_suffix('.part.mp4')
    with av.open(str(partial_path), 'w') as out:
        stream, moment = None, 0
        for source_path in itertools.cycle(videos):
            with av.open(str(source_path)) as source:
                track = source.streams.video[0]
                stream = stream or out.add_stream_from_template(track)
                step = int(1 / (track.average_rate * track.time_base))
                for packet in source.demux(track):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + moment, packet.dts + moment
                    packet.stream = stream
                    out.mux(packet)
                moment += track.frames * step
                if moment * track.time_base > 60 * LONG_MINUTES:
                    break
    partial_path.rename(path)
    return path


def text(size: Size, rows: list[list[str]]) -> str:
    """The table."""
    return '\n\n'.join(
        [
            f'{size.loading_frames} frames, every second one, from anywhere in a video; the file '
            f'is opened for each clip, as training does. Ratios are to *{DEFAULT}*.',
            table(['videos', '', 'ms per clip', 'wall clock ÷', 'processor time ÷'], rows),
        ]
    )
