"""Whole images and cut ones, of the kinds that are looked into."""

import cv2
import numpy as np
import pytest

from mmdistill.extraction.images import image_problem

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize('suffix', ['.jpg', '.JPG', '.png'])
def test_an_image(tmp_path, suffix):
    path = tmp_path / f'frame{suffix}'
    assert image_problem(path) == 'is missing'
    path.write_bytes(b'')
    assert image_problem(path) == 'is empty'
    data = cv2.imencode(suffix.lower(), IMAGE)[1].tobytes()
    path.write_bytes(data)
    assert image_problem(path) is None
    path.write_bytes(data + bytes(3))
    assert image_problem(path) is None
    path.write_bytes(data[:-20])
    assert image_problem(path) == f'is cut short after {len(data) - 20} bytes'
    path.write_bytes(b'<html>' + data)
    assert image_problem(path).startswith('is no ')


def test_other_kinds_are_only_looked_for(tmp_path):
    path = tmp_path / 'frame.webp'
    assert image_problem(path) == 'is missing'
    path.write_bytes(b'anything')
    assert image_problem(path) is None
