"""RGB frames by index from a video or a folder, and errors that name the file."""

import re
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdistill.datasets.transforms import LoadModalities
from mmdistill.modalities import RGBModality

NUM_FRAMES = 30
INDS = np.array([29, 0, 17, 17, 5, 16])  # any order, with a repeat


@pytest.fixture(scope='module')
def frames_bgr() -> list[np.ndarray]:
    """Coloured patches, other ones in each frame: two frames differ by 50 grey levels or more."""
    patches = np.random.default_rng(0).integers(0, 256, (NUM_FRAMES, 6, 8, 3), dtype=np.uint8)
    return [cv2.resize(patch, (64, 48), interpolation=cv2.INTER_CUBIC) for patch in patches]


@pytest.fixture(scope='module')
def video(frames_bgr, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('video') / 'clip.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10, (64, 48))
    for frame in frames_bgr:
        writer.write(frame)
    writer.release()
    return path


@pytest.fixture(scope='module')
def folder(frames_bgr, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('frames')
    for number, frame in enumerate(frames_bgr, start=1):
        cv2.imwrite(str(path / f'{number:04d}.png'), frame)
    return path


def clip(path: Path, frame_inds: np.ndarray = INDS) -> dict:
    return dict(
        sample_id='clip',
        media=dict(rgb=str(path)),
        frame_inds=frame_inds,
        num_clips=1,
        clip_len=len(frame_inds),
    )


def index_table_first(mp4: bytes) -> bytes:
    """Move `moov` before the pixels, as files made for streaming have it: these open when cut."""
    tail = mp4.index(b'moov') - 4
    head = struct.unpack_from('>I', mp4)[0]
    moov = bytearray(mp4[tail:])
    table = moov.index(b'stco') + 8
    for entry in range(struct.unpack_from('>I', moov, table)[0]):
        place = table + 4 + 4 * entry
        (offset,) = struct.unpack_from('>I', moov, place)
        struct.pack_into('>I', moov, place, offset + len(moov))
    return mp4[:head] + bytes(moov) + mp4[head:tail]


def test_video_frames_are_those_of_the_indices(video, frames_bgr):
    read = RGBModality().read(clip(video), INDS)
    assert read.shape == (6, 48, 64, 3) and read.dtype == np.uint8
    for index, frame in zip(INDS, read, strict=True):
        errors = [np.abs(frame[..., ::-1].astype(int) - other).mean() for other in frames_bgr]
        assert np.argmin(errors) == index
        assert errors[index] < 10 < sorted(errors)[1] / 4


def test_folder_frames_are_exact(folder, frames_bgr):
    read = RGBModality(template='{index:04d}.png').read(clip(folder), INDS)
    assert np.array_equal(read, np.stack(frames_bgr)[INDS, ..., ::-1])


def test_video_and_folder_pack_alike(video, folder):
    geometry = [dict(type='Resize', scale=(40, 32), keep_ratio=False)]
    packed = [
        LoadModalities(
            dict(rgb=dict(type='mmdistill.RGBModality', template='{index:04d}.png')),
            geometry=geometry,
        )(clip(path))['rgb']
        for path in (video, folder)
    ]
    assert packed[0].shape == packed[1].shape == (1, 3, 6, 32, 40)
    assert np.abs(packed[0].astype(int) - packed[1]).mean() < 8


def test_layout_of_2d_recognizers(folder, frames_bgr):
    modality = dict(type='mmdistill.RGBModality', template='{index:04d}.png', input_format='NCHW')
    packed = LoadModalities(dict(rgb=modality))(clip(folder))['rgb']
    assert np.array_equal(packed, np.stack(frames_bgr)[INDS, ..., ::-1].transpose(0, 3, 1, 2))


@pytest.mark.parametrize('index_first', [False, True])
def test_truncated_video(video, tmp_path, index_first):
    data = video.read_bytes()
    data = index_table_first(data) if index_first else data
    whole, cut = tmp_path / 'whole.mp4', tmp_path / 'cut.mp4'
    whole.write_bytes(data)
    assert len(RGBModality().read(clip(whole), INDS)) == len(INDS)
    cut.write_bytes(data[: len(data) // 2])
    problem = r'has only \d+ frames, .* is truncated by' if index_first else 'cannot be opened'
    message = rf"^Clip 'clip': {re.escape(str(cut))} {problem}"
    with pytest.raises(ValueError, match=message) as caught:
        RGBModality().read(clip(cut), INDS)
    assert '\n' not in str(caught.value)


def test_damaged_pixels(video, tmp_path):
    data, path = video.read_bytes(), tmp_path / 'damaged.mp4'
    # The header and the first frame stay, so that the file opens.
    first, last = data.index(b'mdat') + 2000, data.index(b'moov') - 4
    path.write_bytes(data[:first] + bytes(last - first) + data[last:])
    message = (
        rf"^Clip 'clip': {re.escape(str(path))} (cannot be decoded|has only \d+ frames).*damaged"
    )
    with pytest.raises(ValueError, match=message) as caught:
        RGBModality().read(clip(path), INDS)
    assert '\n' not in str(caught.value)


def test_video_shorter_than_the_annotations_say(video):
    message = rf"^Clip 'clip': {re.escape(str(video))} has only 30 frames, but frame 30 "
    with pytest.raises(ValueError, match=message) as caught:
        RGBModality().read(clip(video), np.array([29, 30]))
    assert '\n' not in str(caught.value)


def test_missing_frame(folder):
    modality = RGBModality(template='{index:04d}.png')
    with pytest.raises(FileNotFoundError, match=r'Frame 30 \(0-based\) is missing: .*0031\.png'):
        modality.read(clip(folder), np.array([29, 30]))


def test_unreadable_frame(tmp_path):
    (tmp_path / '0001.png').write_bytes(b'no picture')
    modality = RGBModality(template='{index:04d}.png')
    with pytest.raises(ValueError, match=r'0001\.png is not a readable image; extract it again'):
        modality.read(clip(tmp_path), np.array([0]))


def test_a_jpeg_cut_short(tmp_path, frames_bgr):
    path = tmp_path / 'frame_0000000001.jpg'
    whole = cv2.imencode('.jpg', cv2.resize(frames_bgr[0], (128, 96)))[1].tobytes()
    path.write_bytes(whole)
    assert RGBModality().read(clip(tmp_path), np.array([0])).shape == (1, 96, 128, 3)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r'frame_0000000001\.jpg is cut short; extract it again'):
        RGBModality().read(clip(tmp_path), np.array([0]))


def test_missing_video(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"rgb of clip 'clip' is missing: .*gone\.mp4"):
        RGBModality().read(clip(tmp_path / 'gone.mp4'), INDS)
