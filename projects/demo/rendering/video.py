"""Encode the demo's videos: pictures by OpenCV, then the same pictures with a sound track."""

from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

# The quick search of the encoder, since most of what sounds here is noise.
AAC = dict(aac_coder='fast', b='64k')


def open_encoder(path: Path, fps: float, size: tuple[int, int]) -> cv2.VideoWriter:
    """An MPEG-4 part 2 encoder: in every OpenCV wheel, a key frame every 12 frames.

    Raises:
        OSError: If OpenCV cannot encode here.
    """
    encoder = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), fps, size)
    if not encoder.isOpened():
        raise OSError(
            f'OpenCV could not open {path} for writing as MPEG-4. Is the folder writable, and is '
            'OpenCV from a pip wheel (those carry FFmpeg)?'
        )
    return encoder


def add_sound(pictures: Path, samples_N: NDArray, rate: int, path: Path) -> None:
    """Write the pictures of a video, untouched, and an AAC track into another mp4.

    Args:
        pictures: The video without sound; removed afterwards.
        samples_N: From the first picture on; what exceeds -1 to 1 is cut.
        rate: Samples per second.
        path: The file to write.
    """
    frame = av.AudioFrame.from_ndarray(
        np.clip(samples_N, -1, 1).astype(np.float32)[None], format='fltp', layout='mono'
    )
    frame.sample_rate, frame.pts = rate, 0
    with av.open(str(pictures)) as source, av.open(str(path), 'w', format='mp4') as out:
        seen = out.add_stream_from_template(source.streams.video[0])
        heard = out.add_stream('aac', rate=rate, layout='mono', options=AAC)
        # Encoded first: the encoder has to be open before the first packet makes the header.
        packets = [*heard.encode(frame), *heard.encode(None)]
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = seen
                packets.append(packet)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            out.mux(packet)
    pictures.unlink()
