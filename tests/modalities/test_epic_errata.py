"""The two replaced videos: what is longer than they can be is refused, wherever it lies."""

import pytest

from mmdistill.modalities import epic_errata
from mmdistill.modalities.epic_errata import check_folders, check_length

TEMPLATE = 'frame_{index}.jpg'


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setitem(epic_errata.PROPER_LENGTHS, 'P01_109', 10)
    monkeypatch.setattr(epic_errata, 'MARGIN', 2)


def test_a_margin_is_allowed_and_other_videos_are_not_looked_at():
    check_length('P01_109', 12, 'flow.h5')
    check_length('P01_108', 99, 'flow.h5')
    with pytest.raises(ValueError, match='flow.h5 is the first extraction of P01_109.*the 10 fr'):
        check_length('P01_109', 13, 'flow.h5')


@pytest.mark.parametrize('part', ['', 'u', 'v'])
def test_the_first_image_beyond_is_found_in_frames_and_flow(tmp_path, part):
    folder = tmp_path / 'P01_109' / part
    folder.mkdir(parents=True)
    (folder / 'frame_12.jpg').touch()
    media = dict(other=str(tmp_path / 'nothing'), flow=str(tmp_path / 'P01_109'))
    check_folders('P01_109', media, TEMPLATE)
    (folder / 'frame_13.jpg').touch()
    check_folders('P01_108', media, TEMPLATE)
    with pytest.raises(ValueError, match='fetch it again'):
        check_folders('P01_109', media, TEMPLATE)
