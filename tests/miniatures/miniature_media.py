"""Write the media of miniatures: videos with sound, folders of frames and flow, tars of them."""

import shutil
import tarfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from mmdistill.modalities.detection_file import VideoDetections
from mmdistill.modalities.flow_encoding import encode_flow

RATE = 24_000
CODECS = {'.mp4': ('mp4', 'mpeg4'), '.webm': ('webm', 'libvpx')}


def write_video(path: Path, frames: np.ndarray, rate: Fraction, tone: float = 0.0) -> None:
    """A video of frames (F, H, W, 3) RGB; with a tone of so many hertz where it is not 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    container, codec = CODECS[path.suffix.lower()]
    with av.open(str(path), 'w', format=container) as out:
        pictures = out.add_stream(codec, rate=rate)
        pictures.height, pictures.width = frames.shape[1:3]
        pictures.pix_fmt, pictures.bit_rate = 'yuv420p', 2_000_000
        pictures.options = {'deadline': 'realtime', 'cpu-used': '8'} if codec == 'libvpx' else {}
        sound = out.add_stream('aac', rate=RATE, layout='mono') if tone else None
        for frame in frames:
            image = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format='rgb24')
            out.mux(pictures.encode(image))
        out.mux(pictures.encode(None))
        if sound:
            for part in _tone(tone, float(len(frames) / rate)):
                out.mux(sound.encode(part))
            out.mux(sound.encode(None))


def write_frames(folder: Path, frames: np.ndarray, template: str = 'frame_{:010d}.jpg') -> None:
    """Frames (F, H, W, 3) RGB, or (F, H, W) of one channel, as JPEGs that count from 1."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, start=1):
        image = frame[..., ::-1] if frame.ndim == 3 else frame
        cv2.imwrite(str(folder / template.format(number)), image)


def write_flow(folder: Path, flow: np.ndarray) -> None:
    """Flow (F, H, W, 2) in pixels as the folders u and v."""
    stored = encode_flow(flow)
    for axis, name in enumerate('uv'):
        write_frames(folder / name, stored[..., axis])


def put_into_tar(folder: Path) -> None:
    """Replace a folder by `<folder>.tar`, whose names begin with ./ as in the published ones."""
    with tarfile.open(folder.with_suffix('.tar'), 'w') as tar:
        tar.add(folder, arcname='.')
    shutil.rmtree(folder)


def detections_of(squares_F4: np.ndarray, height: int, width: int, label: int) -> VideoDetections:
    """One box per frame, as a detector would have found it."""
    count = len(squares_F4)
    return VideoDetections(
        width=width,
        height=height,
        num_frames=count,
        stride=1,
        frames_F=np.arange(count),
        offsets_F1=np.arange(count + 1),
        boxes_M4=squares_F4,
        scores_M=np.full(count, 0.9),
        labels_M=np.full(count, label),
    )


def _tone(hertz: float, seconds: float) -> Iterator[av.AudioFrame]:
    samples = 0.3 * np.sin(2 * np.pi * hertz * np.arange(0, seconds, 1 / RATE), dtype=np.float32)
    for first in range(0, len(samples), 1024):
        part = np.ascontiguousarray(samples[None, first : first + 1024])
        frame = av.AudioFrame.from_ndarray(part, format='fltp', layout='mono')
        frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
        yield frame
