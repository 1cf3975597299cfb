"""Webcams and network streams: the latest frames, and predictions that never fall behind.

Shape legend: F = frames of the window, H, W = pixels.
"""

import errno
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

import av
import numpy as np

from ..ranges import POSITIVE
from ..video import VideoError
from .prediction import Prediction
from .sources import ArraySource

POLL_SECONDS = 0.01


class LivePrediction(NamedTuple):
    """What is predicted of the last seconds of a stream.

    Args:
        prediction: Its `start` and `stop` are seconds of the stream.
        frames_per_second: At which frames arrive.
        predictions_per_second: At which they are predicted of.
        latency: Seconds from the arrival of the window's last frame to the prediction.
        dropped: Frames that no window has seen, so far.
    """

    prediction: Prediction
    frames_per_second: float
    predictions_per_second: float
    latency: float
    dropped: int


class LatestFrames:
    """Read a stream in a thread, and keep the frames of its last seconds; older ones are dropped.

    Args:
        address: Number of a webcam, or an address such as `rtsp://…` or `http://…`.
        seconds: That are kept.
        timeout: Seconds to wait for the stream to start, and for each next frame.
    """

    def __init__(self, address: int | str, seconds: float, timeout: float = 10.0) -> None:
        POSITIVE.check(seconds=seconds, timeout=timeout)
        self.address, self.seconds, self.timeout = address, seconds, timeout
        self.arrived = 0
        self.ended = False
        self.error: Exception | None = None
        self._frames: deque[tuple[float, float, np.ndarray]] = deque()
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._last_news = time.monotonic()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> 'LatestFrames':
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=self.timeout)

    def window(self) -> tuple[np.ndarray, float, float, float] | None:
        """Frames (F, H, W, 3), the stream's seconds of the first and last, when the last came.

        None until there are enough, or where the frames changed their size.
        """
        with self._lock:
            found = list(self._frames)
        if len(found) < 2 or found[-1][0] - found[0][0] < 0.95 * self.seconds:
            return None
        if len({frame.shape for *_, frame in found}) > 1:
            return None
        return np.stack([frame for *_, frame in found]), found[0][0], found[-1][0], found[-1][1]

    def check(self) -> None:
        """Raise `VideoError` where the stream does not start, stalls or is broken."""
        if self.error is not None:
            raise VideoError(f'{self.address} cannot be read: {self.error}') from self.error
        if not self.ended and time.monotonic() - self._last_news > self.timeout:
            state = 'stalled' if self.arrived else 'did not start'
            raise VideoError(
                f'{self.address} {state}: no frame came for {self.timeout:g} s. Look at the '
                'address and the network, or wait longer.'
            )

    def _read(self) -> None:
        try:
            with open_stream(self.address, self.timeout) as container:
                for frame in container.decode(video=0):
                    if self._stop.is_set():
                        return
                    self._keep(frame)
        except Exception as error:  # told to whoever waits for frames
            # Of a server that has sent all and hangs up, FFmpeg says the same as of a broken line.
            hung_up = isinstance(error, OSError) and error.errno == errno.EIO
            self.error = None if hung_up and self.arrived else error
        finally:
            self.ended = True

    def _keep(self, frame: av.VideoFrame) -> None:
        now = time.monotonic()
        seconds = float(frame.time) if frame.time is not None else now
        picture = frame.to_ndarray(format='rgb24')
        with self._lock:
            if self._frames and seconds <= self._frames[-1][0]:
                self._frames.clear()  # the stream began anew
            self._frames.append((seconds, now, picture))
            while seconds - self._frames[0][0] > self.seconds:
                self._frames.popleft()
        self.arrived += 1
        self._last_news = now


def open_stream(address: int | str, timeout: float) -> Any:
    """Open a webcam (Linux: `/dev/video<number>`) or a network address.

    Raises:
        OSError: It cannot be opened.
    """
    if isinstance(address, int):
        return av.open(f'/dev/video{address}', format='v4l2')
    return av.open(address, timeout=timeout)


def live_predictions(
    model: Any, address: int | str, window: float = 2.0, stride: float = 0.5, timeout: float = 10.0
) -> Iterator[LivePrediction]:
    """Predict of the last `window` seconds, every `stride` seconds or as fast as it goes.

    Frames that arrive meanwhile are dropped once they are older than the window, so a slow model
    predicts less often, and never of old frames. Ends where the stream ends.

    Args:
        model: An `ActionInferencer`.
        address: See `LatestFrames`.
        window: Seconds of the stream that one prediction sees.
        stride: Seconds of the stream from one prediction to the next, at least.
        timeout: See `LatestFrames`.

    Raises:
        VideoError: The stream does not start, stalls or cannot be decoded.
    """
    POSITIVE.check(window=window, stride=stride)
    last, seen, began, count = -float('inf'), 0, time.monotonic(), 0
    with LatestFrames(address, window, timeout) as stream:
        while True:
            ended = stream.ended
            found = stream.window()
            if found is None or found[2] < last + stride:
                stream.check()
                if ended:
                    return
                time.sleep(POLL_SECONDS)
                continue
            frames, start, stop, came = found
            arrived = stream.arrived
            rate = (len(frames) - 1) / (stop - start)
            source = ArraySource(frames, rate, str(address))
            prediction = model.predict_source(source, start)
            seen += _new(len(frames), rate, stop - last)
            last, count = stop, count + 1
            now = time.monotonic()
            yield LivePrediction(
                prediction=prediction,
                frames_per_second=rate,
                predictions_per_second=count / (now - began),
                latency=now - came,
                dropped=max(0, arrived - seen),
            )


def _new(count: int, rate: float, seconds: float) -> int:
    """How many frames of a window came in its last seconds."""
    return min(count, round(rate * seconds)) if seconds < float('inf') else count
