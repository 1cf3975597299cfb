"""Streams: the newest frames, what is dropped, how they end, and those that never start."""

import http.server
import socket
import threading
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from mmdistill.deploy.live import LatestFrames, live_predictions
from mmdistill.video import VideoError

from .conftest import RATE, pictures

FRAMES = 100


@pytest.fixture(scope='module')
def stream_file(tmp_path_factory):
    """Four seconds as an MPEG transport stream, as cameras send them."""
    path = tmp_path_factory.mktemp('stream') / 'camera.ts'
    with av.open(str(path), 'w') as out:
        stream = out.add_stream('mpeg2video', rate=Fraction(RATE))
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for picture in pictures(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), 'rgb24')
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.fixture
def serve(stream_file):
    """Send the file over HTTP in so many seconds; returns the address."""
    servers = []

    def start(seconds):
        content = stream_file.read_bytes()

        class Camera(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                parts = 40
                size = -(-len(content) // parts)
                for first in range(0, len(content), size):
                    self.wfile.write(content[first : first + size])
                    time.sleep(seconds / parts)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Camera)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f'http://127.0.0.1:{server.server_port}/camera.ts'

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_stream_is_predicted_of_until_it_ends(model, serve):
    found = list(live_predictions(model, serve(3), window=1.0, stride=0.5))
    assert len(found) >= 2
    stops = [x.prediction.stop for x in found]
    assert all(b - a >= 0.49 for a, b in zip(stops, stops[1:], strict=False))
    for x in found:
        assert x.prediction.stop - x.prediction.start == pytest.approx(1.0, abs=0.1)
        assert x.frames_per_second == pytest.approx(RATE, rel=0.05)
        assert x.latency >= 0 and x.prediction.label


def test_a_slow_model_drops_frames_and_does_not_fall_behind(model, serve):
    class Slow:
        def predict_source(self, source, start):
            time.sleep(0.8)
            return model.predict_source(source, start)

    found = list(live_predictions(Slow(), serve(3), window=0.4, stride=0.1))
    # Ten times as many would have been due.
    assert 2 <= len(found) <= 6
    assert found[-1].dropped > 20
    assert max(x.latency for x in found) < 3


def test_memory_is_that_of_the_window(serve):
    with LatestFrames(serve(0.5), seconds=0.4) as stream:
        while not stream.ended:
            time.sleep(0.01)
        frames, start, stop, _ = stream.window()
    # The decoder may hold back the last one.
    assert FRAMES - stream.arrived <= 1 and len(frames) == pytest.approx(0.4 * RATE + 1, abs=1)
    assert stop - start <= 0.4


def test_one_that_never_starts_is_an_error():
    with socket.socket() as silent:
        silent.bind(('127.0.0.1', 0))
        silent.listen()
        address = f'http://127.0.0.1:{silent.getsockname()[1]}/camera.ts'
        with pytest.raises(VideoError, match='did not start|cannot be read'):
            list(live_predictions(None, address, timeout=0.5))


def test_one_that_is_not_there_is_an_error():
    for address in ('http://127.0.0.1:9/none.ts', 77):
        with pytest.raises(VideoError, match=f'{address} cannot be read'):
            list(live_predictions(None, address, timeout=5))


def test_one_that_stalls_is_an_error(stream_file):
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen()

    def half():
        connection, _ = listener.accept()
        connection.recv(4096)
        content = stream_file.read_bytes()
        connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n' + content[: len(content) // 2])
        time.sleep(3)
        connection.close()

    threading.Thread(target=half, daemon=True).start()
    address = f'http://127.0.0.1:{listener.getsockname()[1]}/camera.ts'
    with pytest.raises(VideoError, match='stalled|cannot be read'):
        list(live_predictions(None, address, window=60, timeout=0.7))
    listener.close()


def test_numbers_out_of_range():
    with pytest.raises(ValueError, match='window'):
        list(live_predictions(None, 'http://x', window=0))


def test_predict_of_an_address_ends_with_the_stream(model, serve):
    found = list(model.predict(serve(1.0)))
    assert found and all(p.stop > p.start for p in found) and found[-1].stop <= FRAMES / RATE + 0.1
    with pytest.raises(VideoError, match='9 cannot be read'):
        next(iter(model.predict(9)))
