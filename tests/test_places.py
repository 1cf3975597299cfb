"""Places that cannot be written are found before the work, by a sentence, and nothing is left."""

import errno
import os
from pathlib import Path

import h5py
import pytest

from mmdistill.places import check_output, place_message


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A file, a folder, a link to nothing and a link to itself."""
    monkeypatch.chdir(tmp_path)
    Path('file').write_text('mine')
    Path('folder').mkdir()
    Path('nowhere').symlink_to('gone/far')
    Path('loop').symlink_to('loop')
    return tmp_path


BAD_FILES = [
    ('folder', 'a folder is there where a file is meant'),
    ('', 'a folder is there where a file is meant'),
    ('file/out.json', 'a part of the path is a file'),
    ('file/deep/out.json', 'a part of the path is a file'),
    ('nowhere/out.json', 'nowhere is a link to a place that is not there'),
    ('loop/out.json', 'correct the link'),
    ('n' * 300, 'shorten the name'),
    ('n' * 300 + '/out.json', 'shorten the name'),
    ('/proc/out.json', 'No such file or directory'),  # a file system that takes no files
    ('/dev/full/out.json', 'a part of the path is a file'),
]
BAD_FOLDERS = [
    ('file', 'a part of the path is a file'),
    ('file/deep', 'a part of the path is a file'),
    ('nowhere', 'nowhere is a link to a place that is not there'),
    ('n' * 300, 'shorten the name'),
    ('/proc', 'No such file or directory'),
    ('/proc/deep/folder', 'No such file or directory'),
]


@pytest.mark.parametrize(
    ('path', 'folder', 'reason'),
    [(path, False, reason) for path, reason in BAD_FILES]
    + [(path, True, reason) for path, reason in BAD_FOLDERS],
)
def test_a_bad_place_is_a_sentence(here, path, folder, reason):
    before = sorted(here.rglob('*'))
    with pytest.raises(OSError, match=reason) as caught:
        check_output(path, folder)
    assert f'{Path(path)} could not be written (' in str(caught.value)
    assert sorted(here.rglob('*')) == before


@pytest.mark.parametrize(('path', 'folder'), [('file', False), ('new/deep/out.json', False)])
def test_a_good_place_is_left_as_it_is(here, path, folder):
    before = sorted(here.rglob('*'))
    check_output(path, folder)
    check_output('folder', folder=True)
    check_output('new/deep', folder=True)
    check_output('/dev/null')
    assert sorted(here.rglob('*')) == before and Path('file').read_text() == 'mine'


def test_a_full_disk_is_noticed(here, monkeypatch):
    """It makes empty files still."""
    full = open('/dev/full', 'wb')  # noqa: SIM115  (closed by check_output)
    monkeypatch.setattr('tempfile.TemporaryFile', lambda dir: full)
    with pytest.raises(OSError, match=r'out.json could not be written \(No space.*: make room'):
        check_output('out.json')


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EISDIR])
def test_the_sentence_of_the_system_gets_an_advice(number):
    error = OSError(number, os.strerror(number), 'x/y.bin')
    said = place_message(str(error), number)
    assert said.startswith(f"{os.strerror(number)}: 'x/y.bin': ") and '[Errno' not in said


def test_the_place_is_read_out_of_the_sentence_of_hdf5(tmp_path):
    path = tmp_path / 'gone/x.h5'
    with pytest.raises(OSError) as caught:
        h5py.File(path, 'w')
    said = place_message(str(caught.value), caught.value.errno)
    assert said == f"No such file or directory: '{path}'"


def test_a_place_that_the_sentence_lacks_is_added():
    said = place_message('[Errno 28] No space left on device', errno.ENOSPC, 'x/log.json')
    assert said == "No space left on device: 'x/log.json': make room and try again."
