"""A marked point stays on itself in all modalities through crop, resize and flip."""

import cv2
import numpy as np
import pytest

from mmdistill.datasets.transforms import LoadModalities
from mmdistill.modalities.detection_file import DetectionWriter, VideoDetections

FRAME_WH = (160, 120)
FLOW_WH = (80, 60)  # stored at another resolution than RGB, with the same field of view
MARK_XY = (0.4, 0.55)  # as fractions of the frame
MARK_WH = (0.1, 0.1)
MOTION_U = 200
NUM_FRAMES = 4


def _mark(width_height, low, high):
    image = np.full((width_height[1], width_height[0]), low, dtype=np.uint8)
    (x, y), (w, h) = MARK_XY, MARK_WH
    left, right = round((x - w / 2) * width_height[0]), round((x + w / 2) * width_height[0])
    top, bottom = round((y - h / 2) * width_height[1]), round((y + h / 2) * width_height[1])
    image[top:bottom, left:right] = high
    return image


@pytest.fixture(scope='module')
def record(tmp_path_factory):
    root = tmp_path_factory.mktemp('marked')
    for axis, high in (('u', MOTION_U), ('v', 128)):
        (root / 'flow' / axis).mkdir(parents=True)
        for i in range(1, NUM_FRAMES + 1):
            path = root / 'flow' / axis / f'frame_{i:010d}.jpg'
            cv2.imwrite(str(path), _mark(FLOW_WH, 128, high), [cv2.IMWRITE_JPEG_QUALITY, 100])
    (root / 'rgb').mkdir()
    for i in range(1, NUM_FRAMES + 1):
        path = root / 'rgb' / f'frame_{i:010d}.jpg'
        cv2.imwrite(str(path), _mark(FRAME_WH, 0, 255), [cv2.IMWRITE_JPEG_QUALITY, 100])
    _write_detections(root / 'detections.h5')
    return dict(
        sample_id='clip',
        video_id='video',
        start_frame=0,
        stop_frame=NUM_FRAMES,
        media=dict(rgb=root / 'rgb', flow=root / 'flow', obj=root / 'detections.h5'),
        frame_inds=np.arange(NUM_FRAMES),
        num_clips=1,
        clip_len=NUM_FRAMES,
    )


def _write_detections(path):
    (x, y), (w, h) = MARK_XY, MARK_WH
    box = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) * np.tile(FRAME_WH, 2)
    detections = VideoDetections(
        width=FRAME_WH[0],
        height=FRAME_WH[1],
        num_frames=NUM_FRAMES,
        stride=1,
        frames_F=np.arange(NUM_FRAMES, dtype=np.int32),
        offsets_F1=np.arange(NUM_FRAMES + 1),
        boxes_M4=np.tile(box, (NUM_FRAMES, 1)).astype(np.float32),
        scores_M=np.ones(NUM_FRAMES, dtype=np.float32),
        labels_M=np.zeros(NUM_FRAMES, dtype=np.int16),
    )
    with DetectionWriter(path, classes=['mark']) as writer:
        writer.write('video', detections)


def _loader(geometry):
    modalities = dict(
        rgb=dict(type='mmdistill.RGBModality'),
        flow=dict(type='mmdistill.FlowModality'),
        obj=dict(type='mmdistill.DetectionModality', max_boxes=3),
    )
    return LoadModalities(modalities, geometry=geometry)


def _centroid(image):
    weight = image.astype(np.float64)
    ys, xs = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    return np.array([(weight * xs).sum(), (weight * ys).sum()]) / weight.sum()


GEOMETRIES = {
    'resize': [dict(type='Resize', scale=(96, 72), keep_ratio=False)],
    'shrink': [dict(type='Resize', scale=(40, 30), keep_ratio=False)],
    'centre': [dict(type='Resize', scale=(-1, 110)), dict(type='CenterCrop', crop_size=100)],
    'random': [
        dict(type='Resize', scale=(-1, 112)),
        dict(type='RandomResizedCrop', area_range=(0.5, 1.0)),
        dict(type='Resize', scale=(96, 96), keep_ratio=False),
        dict(type='Flip', flip_ratio=0.5),
    ],
    'multiscale': [
        dict(type='Resize', scale=(-1, 120)),
        dict(type='MultiScaleCrop', input_size=100, scales=(1, 0.9)),
        dict(type='Resize', scale=(100, 100), keep_ratio=False),
        dict(type='Flip', flip_ratio=1.0),
    ],
}


@pytest.mark.parametrize('name', GEOMETRIES)
@pytest.mark.parametrize('seed', range(4))
def test_a_marked_point_stays_on_itself(record, name, seed):
    np.random.seed(seed)
    results = _loader(GEOMETRIES[name])(dict(record))
    rgb = results['rgb'][0, 0, 0]  # view 0, channel 0, frame 0
    flow_u = results['flow'][0, 0, 0].astype(int) - 128
    box = results['obj'][0, 0, 0]
    height, width = rgb.shape
    assert (height, width) == tuple(results['img_shape'])
    if box[5] < 0:
        pytest.fail(f'the mark left the crop: {box}')

    in_rgb = _centroid(rgb)
    in_flow = _centroid(np.abs(flow_u) * (np.abs(flow_u) > 8))
    in_boxes = (box[:2] + box[2:4]) / 2 * (width, height)
    assert in_rgb == pytest.approx(in_boxes, abs=0.75)
    assert in_flow == pytest.approx(in_boxes, abs=1.0)


@pytest.mark.parametrize('flip', [False, True])
def test_flip_mirrors_boxes_and_turns_horizontal_motion_around(record, flip):
    resize = dict(type='Resize', scale=(96, 72), keep_ratio=False)
    results = _loader([resize, dict(type='Flip', flip_ratio=float(flip))])(dict(record))
    u = results['flow'][0, 0, 0].astype(int) - 128
    extreme = u.ravel()[np.abs(u).argmax()]
    assert extreme == pytest.approx(-(MOTION_U - 128) if flip else MOTION_U - 128, abs=3)
    x = (results['obj'][0, 0, 0, 0] + results['obj'][0, 0, 0, 2]) / 2
    assert x == pytest.approx(1 - MARK_XY[0] if flip else MARK_XY[0], abs=1e-4)


def test_three_crops_are_three_aligned_views(record):
    geometry = [dict(type='Resize', scale=(-1, 90)), dict(type='ThreeCrop', crop_size=90)]
    results = _loader(geometry)(dict(record))
    assert results['rgb'].shape == (3, 3, NUM_FRAMES, 90, 90)
    assert results['flow'].shape == (3, 2, NUM_FRAMES, 90, 90)
    assert results['obj'].shape == (3, NUM_FRAMES, 3, 6)
    seen = 0
    for view in range(3):
        box = results['obj'][view, 0, 0]
        if box[5] >= 0 and box[0] > 0 and box[2] < 1:
            seen += 1
            in_boxes = (box[:2] + box[2:4]) / 2 * 90
            assert _centroid(results['rgb'][view, 0, 0]) == pytest.approx(in_boxes, abs=0.75)
    assert seen >= 2
