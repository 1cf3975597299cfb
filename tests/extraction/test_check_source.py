"""What an earlier version extracted of turned videos, and of other counts, is found and named."""

from itertools import product
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mmdistill.extraction.check_clips import check_video
from mmdistill.extraction.check_source import inverse, source_notes
from mmdistill.extraction.flow import FlowSettings, extract_flow
from mmdistill.extraction.flow_estimators import DIS
from mmdistill.extraction.jobs import Job
from mmdistill.modalities import FlowModality, RGBModality
from mmdistill.video import index_video
from mmdistill.video.orientation import Turn

MODALITIES = dict(rgb=RGBModality(), flow=FlowModality())
TURNS = [Turn(*flags) for flags in product((False, True), repeat=3)]


def write_video(path: Path, turn: Turn, num_frames: int = 8) -> Path:
    """A texture that slides to the right and down, stored so that `turn` sets it upright."""
    noise = np.random.default_rng(0).integers(0, 256, (120, 200, 3)).astype(np.uint8)
    image = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    with av.open(str(path), 'w') as out:
        stream = out.add_stream('mpeg4', rate=25, options=dict(qscale='2'))
        stream.width, stream.height = (48, 64) if turn.transpose else (64, 48)
        for k in range(num_frames):
            upright = image[40 - k : 88 - k, 100 - 3 * k : 164 - 3 * k]
            stored = np.ascontiguousarray(inverse(turn).apply(upright))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(stored, format='bgr24')))
        out.mux(stream.encode(None))
    return turned_otherwise(path, path, turn)


def turned_otherwise(video: Path, path: Path, turn: Turn) -> Path:
    """The same pictures with another display matrix: x' = a x + c y, y' = b x + d y."""
    columns, rows = 1 - 2 * turn.flip_columns, 1 - 2 * turn.flip_rows
    a, b, c, d = (0, rows, columns, 0) if turn.transpose else (columns, 0, 0, rows)
    matrix = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
    content = bytearray(video.read_bytes())
    place = content.index(b'tkhd') + 44
    content[place : place + 36] = np.array(matrix, '>i4').tobytes()
    path.write_bytes(content)
    return path


def extracted(video: Path, folder: Path) -> Path:
    job = Job('clip', video, folder, index_video(video).num_frames)
    extract_flow(FlowSettings(), DIS(), job, lambda frames: None)
    return job.result


def problems_of(video: Path, flow: Path, num_frames: int = 8) -> list[str]:
    media = dict(rgb=str(video), flow=str(flow))
    record = dict(sample_id='clip', video_id='clip', start_frame=0, stop_frame=num_frames)
    found = check_video('train', MODALITIES, 4, [record | dict(media=media)])
    return [str(problem) for problem in found.problems]


@pytest.mark.parametrize('turn', TURNS, ids=str)
def test_flow_of_upright_pictures_is_fine(tmp_path, turn):
    video = write_video(tmp_path / 'a.mp4', turn)
    assert index_video(video).turn == turn
    assert problems_of(video, extracted(video, tmp_path / 'flow')) == []


@pytest.mark.parametrize('turn', [t for t in TURNS if not t.transpose and any(t)], ids=str)
def test_flow_of_pictures_as_they_are_stored(tmp_path, turn):
    """The sizes do not tell: half a turn, and mirrored pictures."""
    video = write_video(tmp_path / 'a.mp4', turn)
    unturned = turned_otherwise(video, tmp_path / 'stored.mp4', Turn())
    flow = extracted(unturned, tmp_path / 'flow')
    [problem] = problems_of(video, flow)
    assert problem.startswith(f'train, clip of video clip, flow: {flow} was made of pictures of')
    assert 'as they are stored, not upright; remove' in problem
    assert f"mmdistill extract-flow --videos '{video}' --out-template '{flow}'" in problem


def test_flow_of_a_quarter_turn(tmp_path):
    video = write_video(tmp_path / 'a.mp4', Turn(True, False, True))
    other = write_video(tmp_path / 'b.mp4', Turn())
    # What is upside down has the same shape.
    half = turned_otherwise(video, tmp_path / 'c.mp4', Turn(True, True, False))
    [problem] = problems_of(video, extracted(half, tmp_path / 'flow'))
    assert 'turned by 180° against how it is shown' in problem
    assert problems_of(other, extracted(other, tmp_path / 'fine')) == []


def test_counts_that_differ_by_one(tmp_path):
    video = write_video(tmp_path / 'a.mp4', Turn())
    flow = extracted(video, tmp_path / 'flow')
    for axis in 'uv':
        last = flow / axis / 'frame_0000000008.jpg'
        last.with_name('frame_0000000009.jpg').write_bytes(last.read_bytes())
    [problem] = problems_of(video, flow)
    assert (
        f'{flow} has 9 images of 8 frames; remove {flow}, then: mmdistill extract-flow' in problem
    )


def test_a_truncated_video_is_named_though_the_clip_is_there(tmp_path):
    video = write_video(tmp_path / 'a.mp4', Turn(), 30)
    copy = tmp_path / 'cut.mkv'
    with av.open(str(video)) as source, av.open(str(copy), 'w') as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    copy.write_bytes(copy.read_bytes()[:-500])
    record = dict(sample_id='clip', video_id='clip', start_frame=0, stop_frame=4)
    found = check_video('train', dict(rgb=RGBModality()), 2, [record | dict(media=dict(rgb=copy))])
    assert 'frames: the file is truncated by' in str(found.problems[0])


def test_which_stream_is_read(tmp_path):
    path = tmp_path / 'two.mkv'
    with av.open(str(path), 'w') as out:
        streams = [out.add_stream('mpeg4', rate=25) for _ in range(2)]
        for stream in streams:
            stream.codec_context.width, stream.codec_context.height = 64, 48
        packets = []
        for stream in streams:
            packets += stream.encode(av.VideoFrame(64, 48, 'yuv420p'))
            packets += stream.encode(None)
        out.mux(packets)
    [note] = source_notes(MODALITIES, dict(media=dict(rgb=str(path))))
    assert note == f'{path} has 2 video streams; the default one is read'


@pytest.mark.parametrize('turn', TURNS, ids=str)
def test_inverse(turn):
    picture = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(inverse(turn).apply(turn.apply(picture)), picture)
