"""Arrays that cannot be the detections of a video are named before they go anywhere."""

import numpy as np
import pytest

from mmdistill.modalities.video_detections import (
    VideoDetections,
    box_problems,
    check_video,
    impossible_boxes,
)

NAN, INF = np.nan, np.inf
SOUND = ([1.0, 2.0, 5.0, 4.0], 0.5)
# A box and its score, and how it is named.
NO_BOXES = [
    (([NAN, 2, 5, 4], 0.5), 'NaN or infinite'),
    (([1, 2, INF, 4], 0.5), 'NaN or infinite'),
    (([-INF, 2, 5, 4], 0.5), 'NaN or infinite'),
    (([5, 2, 1, 4], 0.5), 'no width or no height'),
    (([1, 4, 5, 2], 0.5), 'no width or no height'),
    (([1, 2, 1, 4], 0.5), 'no width or no height'),
    (([1, 2, 5, 4], NAN), 'score that is not from 0 to 1'),
    (([1, 2, 5, 4], INF), 'score that is not from 0 to 1'),
    (([1, 2, 5, 4], -0.1), 'score that is not from 0 to 1'),
    (([1, 2, 5, 4], 1.5), 'score that is not from 0 to 1'),
]


def video(*rows, **changes) -> VideoDetections:
    """A frame with these boxes in a video of 8 x 6 pixels."""
    rows = rows or (SOUND, SOUND)
    made = VideoDetections(
        width=8,
        height=6,
        num_frames=3,
        stride=1,
        frames_F=np.array([1]),
        offsets_F1=np.array([0, len(rows)]),
        boxes_M4=np.array([box for box, _ in rows], np.float32),
        scores_M=np.array([score for _, score in rows], np.float32),
        labels_M=np.zeros(len(rows), np.int16),
    )
    return made._replace(**changes)


@pytest.mark.parametrize(('row', 'what'), NO_BOXES)
def test_what_is_no_box(row, what):
    wrong = video(SOUND, row, SOUND)
    assert impossible_boxes(wrong.boxes_M4, wrong.scores_M).tolist() == [False, True, False]
    [problem] = box_problems(wrong, num_classes=1)
    assert problem.startswith('1 of 3 boxes have ') and what in problem
    with pytest.raises(ValueError, match=f'^Video 7: 1 of 3 boxes .*{what}'):
        check_video(wrong, 1, 'Video 7')


def test_sound_boxes_of_any_count():
    for made in (video(), video(*[SOUND] * 5), video()._replace(scores_M=np.float32([0, 1]))):
        assert box_problems(made, 1) == []
        check_video(made, 1, 'a')


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(offsets_F1=np.array([0, 3])), 'offsets must .*end at the 2 boxes'),
        (dict(offsets_F1=np.array([1, 2])), 'offsets must .*begin at 0'),
        (dict(offsets_F1=np.array([0, 1, 2])), 'one more than the 1 frames'),
        (dict(frames_F=np.array([1, 2]), offsets_F1=np.array([0, 3, 2])), 'not fall'),
        (dict(frames_F=np.array([2, 1]), offsets_F1=np.array([0, 1, 2])), 'frames must .*increase'),
        (dict(frames_F=np.array([1, 1]), offsets_F1=np.array([0, 1, 2])), 'frames must .*increase'),
        (dict(frames_F=np.array([-1])), 'frames must be 0 or more'),
        (dict(frames_F=np.array([1.0])), 'frames must be a list of whole numbers, got float64'),
        (dict(frames_F=np.array([[1]])), r'frames must .*shape \(1, 1\)'),
        (dict(boxes_M4=np.zeros((2, 5))), r'boxes of 2 boxes must be numbers of shape \(2, 4\)'),
        (dict(scores_M=np.zeros((2, 1))), r'scores of 2 boxes must be numbers of shape \(2,\)'),
        (dict(scores_M=np.zeros(2, complex)), 'scores of 2 boxes must be numbers .*complex'),
        (dict(labels_M=np.zeros(3, int)), r'labels of 2 boxes must be numbers of shape \(2,\)'),
        (
            dict(labels_M=np.array([0, 3])),
            '1 of 2 boxes have a label that is none of the',
        ),
        (dict(labels_M=np.array([-1, -1])), '2 of 2 boxes have a label'),
        (
            dict(features_MD=np.zeros((3, 4))),
            r'features .* must be numbers of shape \(2, 4',
        ),
        (dict(width=0), 'width must be a whole number >= 1, got 0'),
        (dict(stride=-1), 'stride must be a whole number >= 1, got -1'),
        (dict(height=NAN), 'height must be a whole number >= 1, got nan'),
    ],
)
def test_arrays_that_do_not_fit(changes, message):
    with pytest.raises(ValueError, match=f'^Video 7: .*{message}'):
        check_video(video(**changes), 1, 'Video 7')
