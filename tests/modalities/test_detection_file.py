"""DetectionFile: what is written comes back as fractions, sorted, padded and strided."""

import multiprocessing
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest

from mmdistill.modalities.detection_file import DetectionFile, DetectionWriter, VideoDetections

CLASSES = ['hand', 'cup', 'plate']


def toy_video(feature_dims: int = 0, stride: int = 2) -> VideoDetections:
    """200 x 100 pixels, frames 10, 12, 14 with 2, 0 and 3 boxes, scores not sorted."""
    boxes = [[0, 0, 100, 50], [20, 10, 40, 30], [0, 0, 200, 100], [50, 50, 100, 100], [2, 1, 4, 3]]
    return VideoDetections(
        width=200,
        height=100,
        num_frames=30,
        stride=stride,
        frames_F=np.array([10, 12, 14]),
        offsets_F1=np.array([0, 2, 2, 5]),
        boxes_M4=np.array(boxes, dtype=np.float32),
        scores_M=np.array([0.25, 0.75, 0.5, 0.125, 0.875], dtype=np.float32),
        labels_M=np.array([0, 1, 2, 0, 1]),
        features_MD=np.arange(5 * feature_dims).reshape(5, -1) / 8 if feature_dims else None,
    )


def write(path: Path, **videos: VideoDetections) -> DetectionFile:
    with DetectionWriter(path, CLASSES, detector='toy', checkpoint_sha256='ab') as writer:
        for name, video in videos.items():
            writer.write(name, video)
    return DetectionFile(path)


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / 'detections.h5', P01_101=toy_video(), P02_102=toy_video())


def test_header(file):
    assert file.classes == CLASSES
    assert file.video_ids == ['P01_101', 'P02_102']
    assert file.feature_dims == 0
    assert file.frame_shape('P01_101') == (100, 200)
    assert file.has('P02_102') and not file.has('P03_103') and not file.has('P01_101/boxes')


def test_boxes_are_fractions_sorted_by_score_and_padded(file):
    result = file.read('P01_101', [10, 14], max_boxes=4)
    assert result.shape == (2, 4, 6) and result.dtype == np.float32
    pad = [0, 0, 0, 0, 0, -1]
    expected_10 = [[0.1, 0.1, 0.2, 0.3, 0.75, 1], [0, 0, 0.5, 0.5, 0.25, 0], pad, pad]
    np.testing.assert_allclose(result[0], expected_10, rtol=1e-6)
    np.testing.assert_array_equal(result[1, :, 4], [0.875, 0.5, 0.125, 0])


def test_only_the_best_boxes_are_kept(file):
    np.testing.assert_array_equal(file.read('P01_101', [14], max_boxes=1)[0, :, 5], [1])


def test_skipped_frames_take_the_nearest_in_any_order(file):
    frames = [16, 13, 9, 11, 10, 14]  # nearest: 14, 12 (ties go back), 10, 10, 10, 14
    counts = (file.read('P01_101', frames, max_boxes=5)[..., 4] > 0).sum(1)
    assert counts.tolist() == [3, 0, 2, 2, 2, 3]


@pytest.mark.parametrize('frame', [7, 17])
def test_a_frame_beyond_the_stride_is_an_error(file, frame):
    with pytest.raises(ValueError, match=f'frame {frame} of video .* stride of 2'):
        file.read('P01_101', [10, frame], max_boxes=2)


def test_features_follow_their_boxes(tmp_path):
    file = write(tmp_path / 'd.h5', a=toy_video(feature_dims=3))
    assert file.feature_dims == 3
    result = file.read('a', [10], max_boxes=3)[0]
    np.testing.assert_array_equal(result[:, 6:] * 8, [[3, 4, 5], [0, 1, 2], [0, 0, 0]])


def test_single_frame_and_no_boxes(tmp_path):
    none = np.zeros((0, 4), np.float32)
    empty = np.zeros(0, np.float32)
    video = VideoDetections(8, 8, 1, 1, np.array([0]), np.array([0, 0]), none, empty, empty)
    result = write(tmp_path / 'd.h5', a=video).read('a', [0, 1], max_boxes=2)
    assert result.shape == (2, 2, 6) and (result[..., 5] == -1).all()


def test_unknown_video_names_file_and_video(file):
    with pytest.raises(KeyError, match=r"detections\.h5 .*'S9'.*P01_101.*another data set"):
        file.read('S9', [0], max_boxes=1)


def test_not_a_detection_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='mmdistill extract-detections'):
        DetectionFile(tmp_path / 'none.h5').classes  # noqa: B018
    (tmp_path / 'text.h5').write_text('no')
    with pytest.raises(ValueError, match='not an HDF5 file'):
        DetectionFile(tmp_path / 'text.h5').classes  # noqa: B018


def test_a_failed_writer_leaves_the_old_file_and_no_rest(file):
    with pytest.raises(ValueError, match='written twice'), DetectionWriter(file.path, ['x']) as new:
        new.write('a', toy_video()._replace(labels_M=np.zeros(5, int)))
        new.write('a', toy_video()._replace(labels_M=np.zeros(5, int)))
    assert DetectionFile(file.path).classes == CLASSES
    assert [p.name for p in file.path.parent.iterdir()] == ['detections.h5']


@pytest.mark.parametrize(
    'fault',
    [
        dict(offsets_F1=np.array([0, 2, 5])),
        dict(offsets_F1=np.array([0, 3, 2, 5])),
        dict(frames_F=np.array([10, 10, 14])),
        dict(labels_M=np.array([0, 1, 2, 0, 3])),
        dict(scores_M=np.zeros(4)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, fault):
    with pytest.raises(ValueError, match="Video 'a'"):
        write(tmp_path / 'd.h5', a=toy_video()._replace(**fault))


def read_scores(file: DetectionFile) -> list:
    return file.read('P01_101', [10], max_boxes=2)[0, :, 4].tolist()


@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_works_in_other_processes(file, method):
    assert read_scores(file) == [0.75, 0.25]  # the parent's handle is open already
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(read_scores, [file] * 4) == [[0.75, 0.25]] * 4
    assert read_scores(pickle.loads(pickle.dumps(file))) == [0.75, 0.25]


def test_a_forked_process_opens_its_own_handle(file):
    parents = file.file()
    context = multiprocessing.get_context('fork')
    answers = context.Queue()
    child = context.Process(target=lambda: answers.put(file.file() is parents))
    child.start()
    assert answers.get(timeout=20) is False
    child.join()
    assert file.file() is parents


def spoil(file: DetectionFile, name: str, value, where=...) -> DetectionFile:
    """Write into the arrays of the first video, past the writer."""
    with h5py.File(file.path, 'r+') as raw:
        if where is ...:
            del raw[f'P01_101/{name}']
            raw[f'P01_101/{name}'] = value
        else:
            raw[f'P01_101/{name}'][where] = value
    return DetectionFile(file.path)


@pytest.mark.parametrize(
    ('name', 'where', 'value'),
    [
        ('scores', 1, np.nan),
        ('scores', 1, np.inf),
        ('scores', 1, -0.5),
        ('scores', 1, 1.5),
        ('boxes', (1, 0), np.nan),
        ('boxes', (1, 2), np.inf),
        ('boxes', (1, 2), 10),
        ('boxes', (1, 3), 10),
    ],
)
def test_what_is_no_box_is_read_as_padding(file, name, where, value):
    file = spoil(file, name, value, where)
    with pytest.warns(
        UserWarning, match=r"detections\.h5: boxes of video 'P01_101'.*mmdistill check"
    ):
        result = file.read('P01_101', [10], max_boxes=2)[0]
    np.testing.assert_array_equal(result[:, 4:6], [[0.25, 0], [0, -1]])
    np.testing.assert_array_equal(result[1, :4], 0)
    assert np.isfinite(result).all()


@pytest.mark.parametrize('value', [np.nan, -1, 2])
def test_the_writer_takes_no_such_box(tmp_path, value):
    video = toy_video()
    video.scores_M[2] = value
    with pytest.raises(ValueError, match="Video 'a': 1 of 5 boxes have a score"):
        write(tmp_path / 'd.h5', a=video)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('offsets', [0, 3, 2, 5], 'offsets must be .*not fall'),
        ('offsets', [0, 2, 2, 50], 'end at the 5 boxes'),
        ('offsets', [0, 2, 5], 'one more than the 3 frames'),
        ('frames', [10, 10, 14], 'frames must be 0 or more and increase'),
        ('frames', [10.0, np.nan, 14.0], 'whole numbers, got float64'),
        ('labels', [0, 7, 0, 0, 0], 'the label 7, but the file names 3 classes'),
    ],
)
def test_a_file_whose_arrays_do_not_fit(file, name, value, message):
    file = spoil(file, name, value)
    with pytest.raises(ValueError, match=rf"detections\.h5.* 'P01_101'.*{message}"):
        file.read('P01_101', [10], max_boxes=2)
    assert file.read('P02_102', [10], max_boxes=2).shape == (1, 2, 6)


def test_a_file_that_lacks_arrays_or_sizes(file):
    with h5py.File(file.path, 'r+') as raw:
        del raw['P01_101/scores']
        del raw['P02_102'].attrs['width']
    file = DetectionFile(file.path)
    with pytest.raises(ValueError, match="'P01_101': scores are missing"):
        file.read('P01_101', [10], max_boxes=1)
    with pytest.raises(ValueError, match="'P02_102': width must be a whole number >= 1, got None"):
        file.load('P02_102')


@pytest.mark.parametrize('text', ['[' * 100_000, '["hand', '{}', '3', np.nan])
@pytest.mark.parametrize('name', ['classes', 'settings'])
def test_attributes_that_cannot_be_read(file, name, text):
    with h5py.File(file.path, 'r+') as raw:
        raw.attrs[name] = '[]' if (name, text) == ('settings', '{}') else text
    message = rf"detections\.h5: (attribute )?'{name}' (is no JSON|must)"
    with pytest.raises(ValueError, match=message):
        getattr(DetectionFile(file.path), name)
