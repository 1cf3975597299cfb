"""Read a video in all the ways in which the package does, and compare with what it must show.

Each function returns a cell of the table: RIGHT, 'refused: SENTENCE', 'wrong: …', or '–' where
there is nothing to compare.
"""

import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from barcode import UNREADABLE, number_of, sweep
from kinds import RIGHT, Kind

from mmdistill.extraction.check_clips import check_video
from mmdistill.extraction.detection_output import Output, read_part
from mmdistill.extraction.detections import extract_detections, make_job
from mmdistill.extraction.flow import FlowSettings, extract_flow
from mmdistill.extraction.frame_packing import images_of_video
from mmdistill.extraction.jobs import Job
from mmdistill.extraction.sound import SoundSettings, extract_sound, make_sound_job
from mmdistill.modalities import AudioModality, DetectionModality, FlowModality, RGBModality
from mmdistill.modalities.log_mel import log_mel
from mmdistill.models.detector import FrameDetections

NOTHING, REFUSED_AS, WRONG = '–', 'refused: ', 'wrong: '
# One step of 8 bits is a pixel, so flow can carry numbers.
BOUND = 127.0
# Seconds that sound may be off: codecs delay it by as much.
SOUND_TOLERANCE = 0.06
# Steps of a log-mel image, before and after a moment, by which it is recognised.
HALF = 15
# What the package raises when it refuses a file; anything else is a fault.
REFUSALS = (ValueError, RuntimeError, OSError)


class Wrong(Exception):
    """A reader gave something else than it was asked for."""


def patterns(num_frames: int) -> Iterator[tuple[str, list[int]]]:
    """Name and frame indices of what is asked of a video."""
    last = num_frames - 1
    yield 'start', list(range(min(8, num_frames)))
    yield 'middle', list(range(num_frames * 2 // 3, min(num_frames, num_frames * 2 // 3 + 8)))
    yield 'end', list(range(max(0, num_frames - 8), num_frames))
    yield 'strided', list(range(min(3, last), num_frames, 7))
    for index in sorted({0, min(1, last), num_frames // 2, last}):
        yield f'frame {index}', [index]


def expect(what: str, asked: Sequence[int], got: Sequence[int], shown: Sequence[int]) -> None:
    """Compare numbers at indices.

    Raises:
        Wrong: They differ.
    """
    wanted = [shown[index] for index in asked]
    if list(got) != wanted:
        raise Wrong(f'{what}: asked for {brief(wanted)}, got {brief(got)}')


def brief(numbers: Sequence[int]) -> str:
    """Numbers as text, the middle of many left out."""
    texts = ['?' if x == UNREADABLE else str(x) for x in numbers]
    return ' '.join(texts if len(texts) <= 8 else [*texts[:4], '…', *texts[-4:]]) or 'nothing'


def cell(reader: Callable[[Path, Kind], None], path: Path, kind: Kind) -> str:
    """Run a reader on a file; what the table says of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            return reader(path, kind) or RIGHT
    except Wrong as error:
        return WRONG + str(error)
    except REFUSALS as error:
        text = ' '.join(str(error).split()).replace(str(path), kind.name)
        return (
            (REFUSED_AS + text) if is_sentence(text) else f'{WRONG}{type(error).__name__}: {text}'
        )
    except Exception as error:
        return f'{WRONG}{type(error).__name__}: {" ".join(str(error).split())}'


def is_sentence(text: str) -> bool:
    """Whether an error was written for people: it says more than a library's."""
    return len(text.split()) >= 5 and not text.startswith(('[Errno', 'could not broadcast'))


def record_of(path: Path, kind: Kind) -> dict:
    """The annotation of a clip: the whole video."""
    names = dict(rgb=str(path), audio=str(path))
    stop = len(kind.shown)
    return dict(
        sample_id=path.stem, video_id=path.stem, start_frame=0, stop_frame=stop, media=names
    )


def rgb(path: Path, kind: Kind) -> None:
    """RGBModality at the beginning, after a seek, at the end, with a stride, single frames."""
    modality, record = RGBModality(), record_of(path, kind)
    for name, asked in patterns(len(kind.shown)):
        frames = modality.read(record, np.array(asked))
        if frames.shape[1:3][::-1] != kind.upright_size:
            raise Wrong(f'{frames.shape[2]} x {frames.shape[1]} pixels')
        expect(name, asked, [number_of(frame) for frame in frames], kind.shown)
    beyond = len(kind.shown)
    try:
        modality.read(record, np.array([beyond]))
    except ValueError:
        return
    raise Wrong(f'gives a frame {beyond}, which there is not')


class BarcodeFlow:
    """A flow estimator whose motion is the numbers of the two pictures."""

    colour = True

    def __call__(self, prev_HW3: np.ndarray, next_HW3: np.ndarray) -> np.ndarray:
        """(H, W, 2): the number of the first and of the second, less 64."""
        flow_HW2 = np.empty((*prev_HW3.shape[:2], 2), np.float32)
        flow_HW2[:] = number_of(prev_HW3) - 64, number_of(next_HW3) - 64
        return flow_HW2


def make_flow(path: Path, folder: Path, num_frames: int) -> Path:
    """Extract the flow of a video as tools/data/extract_flow.py does."""
    job = Job(path.stem, path, folder / f'{path.stem}_flow', num_frames)
    settings = FlowSettings({'type': 'BarcodeFlow'}, BOUND)
    extract_flow(settings, BarcodeFlow(), job, lambda frames: None)
    return job.result


def flow(path: Path, kind: Kind) -> None:
    """The frames of which extract_flow makes flow, and that there are as many images."""
    shown = kind.shown
    with tempfile.TemporaryDirectory() as folder:
        result = make_flow(path, Path(folder), len(shown))
        count = len(list((result / 'u').iterdir()))
        if count != len(shown):
            raise Wrong(f'{count} images of {len(shown)} frames')
        if count == 1:
            return
        record = record_of(path, kind)
        record['media']['flow'] = str(result)
        images = FlowModality().read(record, np.arange(count))
    if images.shape[1:3][::-1] != kind.upright_size:
        raise Wrong(f'{images.shape[2]} x {images.shape[1]} pixels')
    numbers = images.mean(axis=(1, 2)).round().astype(int) - 64
    numbers[numbers > BOUND + 60] = UNREADABLE
    first = [*range(count - 1), count - 2]
    expect('first of the pair', first, numbers[:, 0], shown)
    expect('second of the pair', [i + 1 for i in first], numbers[:, 1], shown)


class BarcodeDetector:
    """A detector that finds one box in a picture, whose class is its number."""

    batch_size, roi_features = 4, False
    classes = tuple(f'picture {number}' for number in range(UNREADABLE + 1))

    def detect(self, frames: list[np.ndarray]) -> list[FrameDetections]:
        """The whole picture, for each RGB picture (H, W, 3)."""
        return [
            FrameDetections(
                np.array([[0, 0, frame.shape[1], frame.shape[0]]], np.float32),
                np.ones(1, np.float32),
                np.array([number_of(frame)]),
                None,
            )
            for frame in frames
        ]


def make_boxes(path: Path, folder: Path, segments: list[tuple[int, int]] | None) -> Output:
    """Run the detector over a video as tools/data/extract_detections.py does."""
    out = Output(folder / 'boxes.h5', dict(checkpoint_sha256=''))
    out.open_parts()
    job = make_job(path.stem, path, segments, 1, out)
    extract_detections(BarcodeDetector(), 1, out.fingerprint, job, lambda frames: None)
    return out


def boxes(path: Path, kind: Kind) -> None:
    """The frames on which extract_detections runs the detector: of segments, and of all."""
    count = len(kind.shown)
    segments = [(asked[0], asked[-1] + 1) for _, asked in patterns(count)]
    for chosen in (segments[1:3], None):
        with tempfile.TemporaryDirectory() as folder:
            part = make_boxes(path, Path(folder), chosen).part(path.stem)
            video = read_part(part)
        if (video.width, video.height) != kind.upright_size:
            raise Wrong(f'{video.width} x {video.height} pixels')
        if video.num_frames != count:
            raise Wrong(f'{video.num_frames} frames instead of {count}')
        expect('boxes', video.frames_F, video.labels_M, kind.shown)
        if chosen is None and len(video.frames_F) != count:
            raise Wrong(f'{len(video.frames_F)} processed frames of {count}')


def audio(path: Path, kind: Kind) -> str | None:
    """The moment that AudioModality hears at frames: from the video, and from its .flac."""
    if not kind.has_sound:
        return NOTHING
    record = record_of(path, kind)
    _expect_sound(record, kind, 'of the video')
    with tempfile.TemporaryDirectory() as folder:
        job = make_sound_job(path.stem, path, Path(folder) / f'{path.stem}.flac')
        extract_sound(SoundSettings(), job, lambda frames: None)
        record['media'] = dict(audio=str(job.result))
        _expect_sound(record, kind, 'extracted')
    return None


def _expect_sound(record: dict, kind: Kind, what: str) -> None:
    modality = AudioModality()
    asked = np.arange(0, len(kind.shown), 6)
    moments = [_moment_of(image) for image in modality.read(record, asked)]
    wanted = kind.moments
    heard = [(wanted[i], moment) for i, moment in zip(asked, moments, strict=True) if moment]
    off = [got - moment for moment, got in heard]
    if not heard or max(map(abs, off)) > SOUND_TOLERANCE:
        raise Wrong(f'sound {what} off by {max(off, key=abs, default=np.nan):.2f} s')


def _moment_of(image_ML: np.ndarray) -> float | None:
    """The second in the middle of a log-mel image; None where it is silent there."""
    middle = image_ML.shape[1] // 2
    part = image_ML[:, middle - HALF : middle + HALF + 1]
    if part.max(axis=0).min() < -40:
        return None
    windows_LD = _windows_of_the_sound()
    differences = (windows_LD**2).sum(1) - 2 * windows_LD @ part.ravel()
    return float((np.argmin(differences) + HALF) * 80 / 24000)


@cache
def _windows_of_the_sound() -> np.ndarray:
    """What is heard around each step of the whole sound, flattened."""
    whole_ML = log_mel(sweep(5, 24000)[None], 24000, hop=80, num_mels=128)[0]
    windows_MLW = np.lib.stride_tricks.sliding_window_view(whole_ML, 2 * HALF + 1, axis=1)
    return windows_MLW.swapaxes(0, 1).reshape(windows_MLW.shape[1], -1)


def pack(path: Path, kind: Kind) -> None:
    """The frames that pack_hdf5 stores."""
    images = (np.frombuffer(content, np.uint8) for content in images_of_video(path, 95))
    pictures = [cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1] for content in images]
    expect('pack', range(len(kind.shown)), list(map(number_of, pictures)), kind.shown)


def check(path: Path, kind: Kind) -> None:
    """tools/data/check.py has nothing to say of the video with flow and boxes made of it."""
    record = record_of(path, kind)
    modalities = dict(rgb=RGBModality(), flow=FlowModality(), obj=DetectionModality())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            record['media']['flow'] = str(make_flow(path, folder, len(kind.shown)))
            out = make_boxes(path, folder, None)
            out.merge(list(BarcodeDetector.classes), '', failures={})
            record['media']['obj'] = str(out.path)
        except REFUSALS:
            modalities = dict(rgb=modalities['rgb'])
        found = check_video('all', modalities, 8, [record])
    if found.problems:
        raise ValueError(found.problems[0].text)


READERS: dict[str, Callable[[Path, Kind], str | None]] = dict(
    RGB=rgb, flow=flow, boxes=boxes, audio=audio, pack=pack, check=check
)


def cells_of(path: Path, kind: Kind, readers: Sequence[str] = tuple(READERS)) -> dict[str, str]:
    """What each of some readers makes of a file."""
    return {name: cell(READERS[name], path, kind) for name in readers}
