"""MMAction2's own pipeline reads a video as training does."""

import av
import numpy as np
import pytest
from mmcv.transforms import Compose

import mmdistill  # noqa: F401  (repairs upstream first)
from mmdistill.modalities import RGBModality
from mmdistill.video import VideoError

STEPS = [
    dict(type='mmdistill.VideoInit'),
    dict(type='SampleFrames', clip_len=4, frame_interval=2, num_clips=2, test_mode=True),
    dict(type='mmdistill.VideoDecode'),
]


@pytest.fixture(params=['upright', 'turned'])
def video(request, tmp_path):
    path = tmp_path / 'clip.mp4'
    rng = np.random.default_rng(0)
    with av.open(str(path), 'w') as out:
        stream = out.add_stream('mpeg4', rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        if request.param == 'turned':
            if not hasattr(stream, 'set_display_rotation'):
                pytest.skip('this PyAV cannot write display matrices')
            stream.set_display_rotation(90)
        for _ in range(30):
            pixels = np.kron(rng.integers(0, 256, (6, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format='rgb24')))
        out.mux(stream.encode())
    return path


def test_the_same_pictures_as_in_training(video, request):
    found = Compose(STEPS)(dict(filename=str(video), start_index=0))
    assert found['total_frames'] == 30 and found['avg_fps'] == pytest.approx(20)
    assert found['frame_inds'].shape == (8,)
    record = dict(sample_id='clip', media=dict(rgb=str(video)))
    np.testing.assert_array_equal(
        np.stack(found['imgs']), RGBModality().read(record, found['frame_inds'])
    )
    turned = 'turned' in request.node.name
    assert found['img_shape'] == ((64, 48) if turned else (48, 64))


def test_what_is_no_video_is_named(tmp_path):
    (tmp_path / 'text.mp4').write_text('no video\n' * 99)
    with pytest.raises(VideoError, match=r'text\.mp4 (is a text file|cannot be opened)'):
        Compose(STEPS)(dict(filename=str(tmp_path / 'text.mp4'), start_index=0))
