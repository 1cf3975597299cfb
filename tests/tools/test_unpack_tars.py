"""The unpacker of EPIC-KITCHENS' tars: whole folders or none, and bad tars by name."""

import io
import tarfile

import pytest

from mmdistill.extraction import tar_frames
from mmdistill.locks import output_lock
from mmdistill.modalities import epic_errata


@pytest.fixture
def unpack(load_tool, tmp_path, capsys, monkeypatch):
    """Run the tool in this process: exit code and what it printed."""
    main = load_tool('data/unpack_tars.py').main
    for name in ('RANK', 'WORLD_SIZE'):
        monkeypatch.delenv(name, raising=False)

    def run(*words):
        code = main(['--tars', str(tmp_path / '*.tar'), '--workers', '0', *words])
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def write(tmp_path):
    """A tar of files, named as in the archives of the owners."""

    def make(name, *members, prefix='./'):
        source = tmp_path / 'source'
        source.mkdir(exist_ok=True)
        with tarfile.open(tmp_path / f'{name}.tar', 'w') as tar:
            for member in members:
                (source / 'file').write_bytes(member.encode() * 700)
                tar.add(source / 'file', arcname=prefix + member)
        return tmp_path / f'{name}.tar'

    return make


def frames(count, folder=''):
    return [f'{folder}frame_{number:010d}.jpg' for number in range(1, count + 1)]


@pytest.mark.parametrize('prefix', ['./', '', 'P01_01/', './P01_01/'])
def test_frames_and_flow(unpack, write, tmp_path, prefix):
    write('P01_01', *frames(2), prefix=prefix)
    write('P01_101', *frames(2, 'u/'), *frames(2, 'v/'))
    assert unpack()[0] == 0
    there = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob('*.jpg'))
    expected = frames(2, 'P01_01/') + frames(2, 'P01_101/u/') + frames(2, 'P01_101/v/')
    assert there == expected
    assert (tmp_path / expected[0]).read_bytes() == frames(1)[0].encode() * 700


def test_a_killed_run_continues(unpack, write, tmp_path, monkeypatch):
    write('P01_01', *frames(2))
    write('P01_02', *frames(3))

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tar_frames, 'check_length', die)
    with pytest.raises(KeyboardInterrupt):
        unpack()
    assert not (tmp_path / 'P01_01').exists()
    monkeypatch.undo()
    (tmp_path / 'P01_02').mkdir()  # done before
    assert unpack()[0] == 0
    assert len(list((tmp_path / 'P01_01').iterdir())) == 2
    assert not list((tmp_path / 'P01_02').iterdir())
    assert not [p for p in tmp_path.iterdir() if p.name.startswith('.')]


@pytest.mark.parametrize('kept', ['half', 'no end'])
def test_a_tar_cut_short(unpack, write, tmp_path, kept):
    path = write('P01_01', *frames(4))
    content = path.read_bytes()
    cut = len(content) // 2 if kept == 'half' else len(content.rstrip(b'\0')) // 512 * 512 + 512
    path.write_bytes(content[:cut])
    write('P01_02', *frames(1))
    code, printed = unpack()
    assert code == 1 and 'FAILED P01_01' in printed and 'P01_01.tar is cut short' in printed
    assert not (tmp_path / 'P01_01').exists() and (tmp_path / 'P01_02').exists()


@pytest.mark.parametrize('member', ['../frame_0000000001.jpg', 'notes.txt', 'w/frame_1.jpg'])
def test_a_tar_of_other_things(unpack, write, tmp_path, member):
    write('P01_01', member)
    code, printed = unpack()
    assert code == 1 and 'expected images, or images in u and v' in ' '.join(printed.split())
    assert not list(tmp_path.glob('frame*')) and not (tmp_path / 'P01_01').exists()


def test_the_first_extraction_of_two_videos(unpack, write, monkeypatch):
    monkeypatch.setitem(epic_errata.PROPER_LENGTHS, 'P01_109', 2)
    monkeypatch.setattr(epic_errata, 'MARGIN', 1)
    write('P01_109', *frames(4, 'u/'), *frames(4, 'v/'))
    code, printed = unpack()
    assert code == 1 and '--errata' in printed


@pytest.mark.parametrize(
    'headers',
    [
        {'GNU.sparse.map': 'x,y', 'GNU.sparse.size': '10'},
        {'GNU.sparse.size': 'much', 'GNU.sparse.offset': '0'},
        {'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '9'},
        {'GNU.sparse.map': '0,4,9,1', 'GNU.sparse.size': '99999999999999999999'},
    ],
    ids=['map', 'size', 'no map', 'huge'],
)
def test_a_broken_sparse_tar_is_named_and_the_others_are_done(unpack, write, tmp_path, headers):
    write('P01_02', *frames(1))
    with tarfile.open(tmp_path / 'P01_01.tar', 'w', format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo(frames(1)[0])
        info.pax_headers, info.size = headers, 600
        tar.addfile(info, io.BytesIO(b'x' * 600))
    code, printed = unpack()
    assert code == 1 and 'FAILED P01_01: ' in printed and 'P01_01.tar' in printed
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ['P01_02', 'source']


def test_two_runs_do_not_unpack_side_by_side(unpack, write, tmp_path):
    write('P01_01', *frames(1))
    message = 'Another run still works in'
    with output_lock(tmp_path, inside='extraction'), pytest.raises(SystemExit, match=message):
        unpack()
    assert not (tmp_path / 'P01_01').exists()


def test_nothing_found(unpack):
    with pytest.raises(SystemExit, match='Nothing matches'):
        unpack()
