"""EPIC-KITCHENS-100 in miniature: renders egocentric hand-object clips in its folder layout.

    OUT/annotations/EPIC_100_*.csv         official columns; EPIC_100_train_all.csv has the
                                           unlabelled clips, too
    OUT/P01/videos/P01_101.MP4             several segments each, short gaps between them; sound
    OUT/P01/keypoints/P01_101.csv          the hand's keypoints over time, as a sensor reports them
    OUT/detector/{train,val}/*.jpg, .json  frames with ground-truth boxes, COCO
    OUT/render.json                        what was rendered; written last

Verbs differ in motion and sound only, nouns in shape, texture and sound. Every pixel and every
sample follows from the seed. Labels and boxes are right, unless the parameters ask for slips.
"""

import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdistill.files import read_json

from .annotations import (
    CocoBoxes,
    Segment,
    with_slips,
    write_classes,
    write_segments,
    write_tails,
    write_training,
    write_unseen,
    write_video_info,
)
from .canvas import STORE_DENSITY
from .keypoints import sense_hand, write_keypoints
from .parameters import DemoParameters
from .plan import VideoPlan, held_out, plan_videos
from .scene import Scene
from .sound import clip_sound, kitchen_hum
from .table import draw_style, draw_surface
from .video import add_sound, open_encoder

RENDERER_VERSION = 5  # raise it when the same parameters give other files


def render_demo(
    out: str | Path,
    num_train: int = 300,
    num_val: int = 480,
    seed: int = 0,
    frame_size: tuple[int, int] = (128, 96),
    params: DemoParameters | None = None,
    workers: int = 1,
    num_unlabelled: int = 0,
) -> bool:
    """Render the demo data set into `out`.

    The rendering is made beside `out` and moved there when it is complete, so a killed run leaves
    nothing that could be mistaken for a data set; the next run starts again.

    Args:
        frame_size: Width and height in pixels, both even.
        params: Magnitudes of the rendering; the defaults if None.
        workers: Processes that draw videos; the files are the same with any number.
        num_unlabelled: Further training clips, of which only the times are told.

    Returns:
        Whether anything was rendered: False if `out` already holds the same rendering.

    Raises:
        FileExistsError: If `out` holds anything else.
        ValueError: If the sizes cannot be rendered.
    """
    out, params = Path(out), params or DemoParameters()
    if min(frame_size) < 32 or frame_size[0] % 2 or frame_size[1] % 2:
        raise ValueError(f'Expected an even width and height of at least 32, got {frame_size}.')
    videos = plan_videos(num_train, num_val, seed, params, num_unlabelled)
    request = dict(
        version=RENDERER_VERSION,
        num_train=num_train,
        num_val=num_val,
        num_unlabelled=num_unlabelled,
        seed=seed,
        frame_size=frame_size,
        params=asdict(params),
    )
    request = json.loads(json.dumps(request))
    if _is_rendered(out, request):
        return False
    partial = out.absolute().with_name(f'.{out.name}.rendering')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _Writer(partial, videos, frame_size, seed, params).write(workers)
        (partial / 'render.json').write_text(json.dumps(request, indent=2), encoding='utf-8')
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)  # half of a rendering is of no use
        raise
    return True


def _is_rendered(out: Path, request: dict) -> bool:
    """Whether `out` holds this rendering; anything else there is an error."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    record = out / 'render.json'
    if not record.is_file():
        raise FileExistsError(
            f'{out} holds something that is not a demo rendering (no render.json). '
            'Choose another folder or move it away.'
        )
    found = read_json(record, dict, 'choose another folder or move it away')
    differing = sorted(key for key in request if found.get(key) != request[key])
    if differing:
        changes = ', '.join(
            f'{key}: {found.get(key)} there' for key in differing if key != 'params'
        )
        raise FileExistsError(
            f'{out} holds another rendering ({changes or "other parameters"}). '
            'Delete it or choose another folder.'
        )
    return True


class _Writer:
    """Draws the planned videos and writes every file of the data set into `root`."""

    def __init__(
        self,
        root: Path,
        videos: list[VideoPlan],
        size: tuple[int, int],
        seed: int,
        params: DemoParameters,
    ):
        self.root, self.videos, self.size, self.seed, self.params = root, videos, size, seed, params
        splits = ('train', 'val')
        self.boxes = {split: CocoBoxes(size, params.detector_visible) for split in splits}
        self.segments: dict[str, list[Segment]] = {s: [] for s in (*splits, 'unlabelled')}
        self.lengths: dict[str, int] = {}
        # A detector needs no actions: the unlabelled clips have frames for it, too.
        self.folder = dict(train='train', unlabelled='train', val='val')
        clips = dict.fromkeys(splits, 0)
        for video in videos:
            clips[self.folder[video.split]] += len(video.clips)
        wanted = params.detector_frames_per_clip
        most = params.detector_max_frames
        self.detector_share = {s: min(wanted, most / n) for s, n in clips.items()}

    def write(self, workers: int) -> None:
        for split in self.boxes:
            (self.root / 'detector' / split).mkdir(parents=True)
        for video, drawn in zip(self.videos, self._draw(workers), strict=True):
            self.segments[video.split] += drawn.segments
            self.lengths[video.video_id] = drawn.length
            for name, boxes in drawn.kept:
                self.boxes[self.folder[video.split]].add(name, boxes)
        annotations = self.root / 'annotations'
        annotations.mkdir()
        params, fps = self.params, self.params.fps
        slips = np.random.default_rng((self.seed, 4))
        train, val = (
            with_slips(self.segments[split], params.verb_slips, params.noun_slips, slips)
            for split in ('train', 'val')
        )
        apart = held_out(self.videos, params.holdout_share)
        unlabelled = self.segments['unlabelled']
        write_training(annotations / 'EPIC_100_train.csv', train, (), fps, apart)
        write_training(annotations / 'EPIC_100_train_all.csv', train, unlabelled, fps, apart)
        write_segments(annotations / 'EPIC_100_validation.csv', val, fps)
        write_classes(annotations)
        write_tails(annotations, train, params.tail_share)
        known = {video.participant_id for video in self.videos if video.split == 'train'}
        unseen = sorted({video.participant_id for video in self.videos} - known)
        write_unseen(annotations, unseen)
        write_video_info(annotations, self.lengths, fps, self.size)
        for split, boxes in self.boxes.items():
            boxes.write(self.root / 'detector' / f'{split}.json')

    def _draw(self, workers: int) -> Iterable['_Drawn']:
        """All videos in their order, by as many processes."""
        if workers == 1:
            return _one_thread(self._write_video, self.videos)
        # Not forked: this process may have threads, whose locks a copy would never see opened.
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
            return list(pool.map(self._write_video, self.videos))

    def _write_video(self, video: VideoPlan) -> '_Drawn':
        """Encode a video's clips and their gaps; keep some frames for the detector."""
        path = self.root / video.participant_id / 'videos' / f'{video.video_id}.MP4'
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(video.entropy)
        surfaces = self._surfaces(video, rng)
        silent = path.with_name(f'.{path.stem}.mp4')
        encoder = open_encoder(silent, self.params.fps, self.size)
        position, sensed, heard = 0, [], []
        drawn = _Drawn([], [])
        for index, clip in enumerate(video.clips):
            scene = Scene(clip, surfaces, self.size, self.params)
            chosen = -1
            if rng.uniform() < self.detector_share[self.folder[video.split]]:
                chosen = int(rng.integers(clip.frames))
            for frame_index in range(clip.frames + clip.still):
                frame = scene.frame(frame_index)
                encoder.write(frame)
                if frame_index == chosen:
                    name = self._keep(video, position + chosen, frame)
                    drawn.kept.append((name, scene.boxes(chosen)))
            sensed.append(sense_hand(clip, scene, position, self.params))
            heard.append(clip_sound(clip, scene.track, position, self.params))
            companion = scene.things[0].noun
            drawn.segments.append(
                Segment(
                    video.video_id, index, position, clip.frames, clip.verb, clip.noun, companion
                )
            )
            position += clip.frames + clip.still
        encoder.release()
        sound = np.concatenate(heard)
        sound += kitchen_hum(len(sound), np.random.default_rng((*video.entropy, 1)), self.params)
        add_sound(silent, sound, self.params.sound_rate, path)
        write_keypoints(path.parents[1] / 'keypoints' / f'{video.video_id}.csv', sensed)
        return drawn._replace(length=position)

    def _surfaces(self, video: VideoPlan, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """The textures of the participant's kitchen, as this video shows them."""
        person = int(video.participant_id[1:])
        style = draw_style(np.random.default_rng((self.seed, 3, person)))
        height, width = (round(side * STORE_DENSITY * self.size[1]) for side in (2.0, 2.4))
        first, second = (draw_surface(style, which, (height, width), rng) for which in (0, 1))
        return (first, second) if rng.uniform() < 0.6 else (second, first)

    def _keep(self, video: VideoPlan, position: int, frame: NDArray) -> str:
        """Store a frame for the detector; the name counts frames from 1, as EPIC-KITCHENS does."""
        name = f'{video.video_id}_frame_{position + 1:010d}.jpg'
        path = self.root / 'detector' / self.folder[video.split] / name
        if not cv2.imwrite(str(path), frame, [cv2.IMWRITE_JPEG_QUALITY, 95]):
            raise OSError(f'Could not write {path}. Is the disk full?')
        return name


class _Drawn(NamedTuple):
    """What drawing a video found."""

    segments: list[Segment]
    kept: list[tuple[str, list]]  # frames for the detector, and what is in them
    length: int = 0


def _one_thread(draw: Callable[[VideoPlan], _Drawn], videos: list[VideoPlan]) -> Iterator[_Drawn]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # images are so small that threads cost more than they give
    try:
        yield from map(draw, videos)
    finally:
        cv2.setNumThreads(threads)
