"""Every kind of video file, read in every way, gives the pictures that were asked for."""

import av
import numpy as np
import pytest
from barcode import HZ_PER_SECOND, MARK, UNREADABLE, draw, number_of, read, sweep
from kinds import EITHER, Kind
from make_videos import HAS_PROGRAM, KINDS, make_videos
from readers import NOTHING, READERS, RIGHT, Wrong, cells_of, expect
from video_table import DOCS, PARTS, Row, page

from mmdistill.video import index_video

# Those in which something else than the codec is odd for flow, boxes, sound or check; the other
# files have the same reader. All of them: the slow test.
QUICK = [
    'h264.mp4',
    'xvid.avi',
    'av1.webm',
    'turned_90.mp4',
    'turned_180.mp4',
    'vfr.mkv',
    'cut.mp4',
    'no_first_key.ts',
]
FAST_READERS = ('RGB', 'pack')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('video_files')


@pytest.fixture(scope='module')
def made(folder):
    """The kinds that can be made here, as they are shown, by name."""
    av.logging.set_level(None)
    return {kind.name: kind for kind in make_videos(folder)}


def faults(folder, made, kind: Kind, readers) -> dict[str, str]:
    if kind.name not in made:
        pytest.skip("needs FFmpeg's program")
    shown = made[kind.name]
    return Row(shown, cells_of(folder / kind.name, shown, readers)).faults


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: kind.name)
def test_pictures_of_oddities(folder, made, kind):
    assert faults(folder, made, kind, FAST_READERS) == {}


@pytest.mark.parametrize('kind', [k for k in KINDS if k.name in QUICK], ids=lambda kind: kind.name)
def test_all_readers_of_oddities(folder, made, kind):
    assert faults(folder, made, kind, tuple(READERS)) == {}


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: kind.name)
def test_times_of_oddities(folder, made, kind):
    """By construction; containers round to milliseconds, FFmpeg adds a frame where edits meet."""
    shown = made.get(kind.name)
    if shown is None or shown.expected != RIGHT or not shown.times_matter:
        pytest.skip('the file itself does not tell')
    index = index_video(folder / kind.name)
    assert index.size == shown.upright_size
    tolerance = 0.041 if shown.skips else 0.0011
    np.testing.assert_allclose(index.times_F, shown.times, atol=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: kind.name)
def test_all_readers_of_all_oddities(folder, made, kind):
    assert faults(folder, made, kind, tuple(READERS)) == {}


def test_everything_but_theora_is_made_without_the_program(made):
    absent = {kind.name for kind in KINDS} - made.keys()
    assert absent == (set() if HAS_PROGRAM else {'theora.ogv'})


def test_pictures_are_as_odd_as_they_should_be(made, folder):
    """Else the table would show nothing."""
    with av.open(str(folder / 'cut.mp4')) as file:
        assert sum(packet.is_discard for packet in file.demux(video=0)) == 10
    with av.open(str(folder / 'fields.ts')) as file:
        assert sum(packet.size > 0 for packet in file.demux(video=0)) == 120
    with av.open(str(folder / 'turned_180.mp4')) as file:
        stored = next(file.decode(video=0)).to_ndarray(format='rgb24')
    assert read(stored).turns == 2 and number_of(stored) == UNREADABLE
    with av.open(str(folder / 'two_streams.mkv')) as file:
        assert number_of(next(file.decode(video=0)).to_ndarray(format='rgb24')) == 100


def test_the_table_in_the_docs_has_every_file():
    text = DOCS.read_text()
    assert [kind.name for kind in KINDS if f'| `{kind.name}` |' not in text] == []
    assert 'wrong' not in text[text.index('table: begin') :]
    assert [kind.name for kinds in PARTS.values() for kind in kinds] == [k.name for k in KINDS]
    assert page({}).startswith(text[: text.index('table: begin')])


@pytest.mark.parametrize('size', [(96, 64), (64, 96), (97, 65), (128, 96)])
@pytest.mark.parametrize('number', [0, 1, 77, 254])
def test_bar_codes_tell_number_and_way(number, size):
    picture = draw(number, *size)
    assert number_of(picture) == number
    for turns in range(4):
        for mirrored in (False, True):
            turned = np.rot90(picture, -turns)
            found = read(turned[:, ::-1] if mirrored else turned)
            assert (found.number, found.mirrored) == (number, mirrored)
            assert found.turns == (turns if not mirrored else -turns % 4)
    assert number_of(picture[..., ::-1]) == UNREADABLE, 'red and blue exchanged'
    assert read(np.zeros_like(picture)).number is None


def test_a_changed_block_is_noticed():
    for place in range(16):
        row, column = divmod(place, 4)
        picture = draw(19)
        block = picture[row * 16 : row * 16 + 16, column * 24 : column * 24 + 24]
        block[:] = 255 - block
        expected = {19, None} if (row, column) in MARK else {None}
        assert read(picture).number in expected or read(picture).number != 19


def test_the_sound_rises():
    sound = sweep(2.0, 24000, start=1.0)
    crossings = np.flatnonzero(np.diff(np.signbit(sound[:2400]))).size / 0.1 / 2
    assert crossings == pytest.approx(600 + 1.05 * HZ_PER_SECOND, rel=0.02)


def test_another_picture_is_wrong():
    expect('start', [1, 2], [11, 12], [10, 11, 12])
    with pytest.raises(Wrong, match='start: asked for 11 12, got 11 13'):
        expect('start', [1, 2], [11, 13], [10, 11, 12])


def test_what_is_a_fault():
    right, damaged = KINDS[0], next(kind for kind in KINDS if kind.expected == EITHER)
    cells = dict(RGB=RIGHT, audio=NOTHING, pack='refused: a sentence')
    assert Row(right, cells).faults == dict(pack='refused: a sentence')
    assert Row(damaged, cells).faults == {}
    assert Row(damaged, dict(RGB='wrong: x')).faults == dict(RGB='wrong: x')
