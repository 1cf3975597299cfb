"""EPIC-KITCHENS-100 in miniature, in the layouts in which its owners publish it."""

import csv
import math
import pickle
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from epic_messages import detection, mask, mask_message, message, text
from miniature_media import (
    RATE,
    detections_of,
    put_into_tar,
    write_flow,
    write_frames,
    write_video,
)
from moving_square import HEIGHT, WIDTH, Scene, draw_scene

from mmdistill.modalities.detection_file import DetectionWriter

SECONDS = 1.6
SEGMENTS = ((0.0, 0.7), (0.75, 1.45))
COLUMNS = [
    *('narration_id', 'participant_id', 'video_id', 'narration_timestamp', 'start_timestamp'),
    *('stop_timestamp', 'start_frame', 'stop_frame', 'narration', 'verb', 'verb_class', 'noun'),
    *('noun_class', 'all_nouns', 'all_noun_classes'),
]
CUP = 41  # of COCO's classes


class Video(NamedTuple):
    """A video; two digits after the underscore are EPIC-KITCHENS-55, three the extension."""

    name: str
    part: str

    @property
    def rate(self) -> int:
        """Of the published frames, and of the annotations."""
        return 60 if self.stride == 2 else 50

    @property
    def stride(self) -> int:
        return 2 if len(self.name.split('_')[1]) == 2 else 1

    @property
    def mp4_rate(self) -> Fraction:
        """The mp4 files of EPIC-KITCHENS-55 have a rate of their own."""
        return Fraction(60_000, 1001) if self.stride == 2 else Fraction(50)

    @property
    def participant(self) -> str:
        return self.name.split('_')[0]


TRAIN = [Video(name, 'train') for name in ('P01_01', 'P01_101', 'P02_04', 'P02_102')]
VALIDATION = [Video(name, 'validation') for name in ('P01_103', 'P18_02')]
VIDEOS = [*TRAIN, *VALIDATION]


def write_epic_kitchens(root: Path) -> Path:
    """The annotations and videos, with flow and detections as our tools extract them from these."""
    write_annotations(root / 'annotations')
    with DetectionWriter(root / 'detections.h5', classes=[f'thing {k}' for k in range(80)]) as file:
        for seed, video in enumerate(VIDEOS):
            num_frames = round(SECONDS * video.mp4_rate)
            scene, folder = draw_scene(num_frames, seed), root / video.participant
            path = folder / f'videos/{video.name}.MP4'
            write_video(path, scene.frames, video.mp4_rate, tone=300 + 60 * seed)
            write_flow(folder / 'flow_frames' / video.name, scene.flow)
            file.write(video.name, detections_of(scene.squares_F4, HEIGHT, WIDTH, label=CUP))
    return root


def write_published_frames(root: Path) -> Path:
    """The annotations, tars of frames and flow, and the pickles of hands, objects and masks."""
    write_annotations(root / 'annotations')
    for seed, video in enumerate(VIDEOS):
        num_frames, folder = round(SECONDS * video.rate), root / video.participant
        scene = draw_scene(num_frames, seed)
        write_frames(folder / 'rgb_frames' / video.name, scene.frames)
        # The last one or two frames have no flow.
        flow = scene.flow[: num_frames - 1 : video.stride][: (num_frames - 1) // video.stride]
        write_flow(folder / 'flow_frames' / video.name, video.stride * flow)
        put_into_tar(folder / 'rgb_frames' / video.name)
        put_into_tar(folder / 'flow_frames' / video.name)
        for kind, messages in automatic_annotations(video.name, scene).items():
            path = folder / kind / f'{video.name}.pkl'
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(pickle.dumps(messages))
    return root


def automatic_annotations(name: str, scene: Scene) -> dict[str, list[bytes]]:
    """The messages of a video's frames by the folder in which they are published."""
    size = (WIDTH, HEIGHT, WIDTH, HEIGHT)
    hands, masks = [], []
    pairs = zip(scene.squares_F4 / size, scene.discs_F4 / size, strict=True)
    for index, (square, disc) in enumerate(pairs, start=1):
        boxes = text(3, detection(disc, 0.9, state=3)), text(4, detection(square, 0.8))
        hands.append(message(index, *boxes, video=name.encode()))
        masks.append(mask_message(index, mask(square, 0.9, CUP + 1)))
    return {'hand-objects': hands, 'masks': masks}


def write_annotations(folder: Path) -> None:
    """The official CSVs, by their names."""
    folder.mkdir(parents=True)
    for part in ('train', 'validation'):
        rows = [row for video in VIDEOS if video.part == part for row in _rows(video)]
        _write_csv(folder / f'EPIC_100_{part}.csv', COLUMNS, rows)
    # Of the second clip of P01_103, both verb and noun are in the tail.
    for task, count, tail in (('verb', 97, 5), ('noun', 300, 41)):
        rows = [[k, f'{task}{k}', f"['{task}{k}']", 'kind'] for k in range(count)]
        columns = ['id', 'key', 'instances', 'category']
        _write_csv(folder / f'EPIC_100_{task}_classes.csv', columns, rows)
        _write_csv(folder / f'EPIC_100_tail_{task}s.csv', [task], [[1], [tail]])
    info = [[v.name, SECONDS, float(v.mp4_rate), f'{WIDTH}x{HEIGHT}'] for v in VIDEOS]
    columns = ['video_id', 'duration', 'fps', 'resolution']
    _write_csv(folder / 'EPIC_100_video_info.csv', columns, info)
    unseen = folder / 'EPIC_100_unseen_participant_ids_validation.csv'
    _write_csv(unseen, ['participant_id'], [['P18']])


def _rows(video: Video) -> list[list]:
    rows = []
    for number, (start, stop) in enumerate(SEGMENTS):
        verb, noun = (VIDEOS.index(video) + number) % 97, 10 * VIDEOS.index(video) + number
        frames = [max(1, math.floor(video.rate * moment + 1e-6)) for moment in (start, stop)]
        times = [f'00:00:{moment:05.2f}' for moment in (start, stop)]
        row = [f'{video.name}_{number}', video.participant, video.name, times[0], *times, *frames]
        row += [f'verb{verb} noun{noun}', f'verb{verb}', verb, f'noun{noun}', noun]
        rows.append([*row, [f'noun{noun}'], [noun]])
    return rows


def _write_csv(path: Path, columns: list[str], rows: list[list]) -> None:
    with path.open('w', newline='') as file:
        csv.writer(file).writerows([columns, *rows])


def write_paper_packs(root: Path) -> None:
    """boxes.h5 and audio.h5 of the published frames, as the paper's authors lay them out."""
    seconds = np.arange(0, SECONDS, 1 / RATE)
    with h5py.File(root / 'boxes.h5', 'w') as boxes, h5py.File(root / 'audio.h5', 'w') as audio:
        for seed, video in enumerate(VIDEOS):
            scene = draw_scene(round(SECONDS * video.rate), seed)
            audio[video.name] = (0.3 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)
            for index, square in enumerate(scene.squares_F4 / (WIDTH, HEIGHT, WIDTH, HEIGHT)):
                found = [dict(box=square.tolist(), category='object', score=0.9, state=2)]
                boxes[f'{video.name}/{index + 1}'] = np.bytes_(str(found))
