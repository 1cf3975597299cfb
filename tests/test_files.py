"""A path that exists is that path, others are patterns; a file is written whole or not at all."""

import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

from mmdistill.files import find_file, find_paths, read_json, remove_parts, write_whole

NAMES = [
    'cooking [dQw4w9WgXcQ].mp4',
    'what? *really*.mp4',
    'two\nlines.mp4',
    '~tilde.mp4',
    'a=b,c.mp4',
    ' spaces .mp4',
    'плита {0} 100%.mp4',
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*paths: str) -> list[Path]:
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return [Path(path) for path in paths]


@pytest.mark.parametrize('name', NAMES)
def test_a_path_that_exists_is_that_path(folder, name):
    touch(name, 'cooking d.mp4', 'what. really.mp4')
    assert find_paths([name]) == [Path(name)]
    assert find_paths([Path(name)]) == [Path(name)]
    assert find_file(name, 'video', 'look') == name


def test_patterns(folder):
    one, two, other = touch('P01/videos/1.MP4', 'P02/videos/2.MP4', 'P02/videos/3.mp4')
    assert find_paths(['*/videos/*.MP4']) == [one, two]
    assert find_paths(['P0[2-9]/videos/?.*']) == [two, other]
    assert find_paths([f'{folder}/P0?/../P01/vid*']) == [folder / 'P01/../P01/videos']
    assert find_paths(['.']) == [Path()]


@pytest.mark.parametrize('name', ['my [x]', '*', 'a?b'])
def test_a_folder_on_the_way_is_taken_by_its_name(folder, name):
    wanted, deeper, _ = touch(f'{name}/1.mp4', f'sets/{name}/2.mp4', 'my x/3.mp4')
    assert find_paths([f'{name}/*.mp4']) == [wanted]
    assert find_paths([f'*s/{name}/*.mp4']) == [deeper]


def test_each_path_once_and_sorted(folder):
    touch('b.mp4', 'a.mp4')
    found = find_paths(['b.mp4', '*.mp4', './b.mp4', folder / 'a.mp4'])
    assert found == [Path('a.mp4'), Path('b.mp4')]


def test_home_unless_there_is_such_a_name(folder, monkeypatch):
    monkeypatch.setenv('HOME', str(folder / 'home'))
    (at_home,) = touch('home/v/1.mp4')
    assert find_paths(['~/v/*.mp4']) == [folder / at_home]
    (here,) = touch('~/v/2.mp4')
    assert find_paths(['~/v/*.mp4']) == [here]


@pytest.mark.parametrize('pattern', ['nothing/*.mp4', 'no [file].mp4', '', '~nobody-here/x'])
def test_a_pattern_that_matches_nothing_is_named(folder, pattern):
    touch('1.mp4')
    with pytest.raises(FileNotFoundError) as error:
        find_paths(['*.mp4', pattern])
    assert f'Nothing matches {pattern!r}' in str(error.value)


def test_a_name_that_is_no_text_is_told(folder):
    os.close(os.open(b'caf\xe9.mp4', os.O_CREAT))
    with pytest.raises(ValueError, match=r"'caf\\udce9.mp4' is not UTF-8 text: rename"):
        find_paths(['*.mp4'])


def test_a_name_that_is_too_long_is_told(folder):
    with pytest.raises(FileNotFoundError, match=os.strerror(36)):
        find_paths(['x' * 300])


def test_find_file_takes_one_file(folder):
    best, _ = touch('run [1]/best_top1.pth', 'run [1]/epoch_3.pth')
    assert find_file('run [1]/best_*.pth', 'checkpoint', 'train one') == str(best)
    assert find_file('https://x/y_*.pth', 'checkpoint', 'train one') == 'https://x/y_*.pth'
    two = r'2 files match the checkpoint .*\(run \[1\]/best_top1.pth, .*epoch_3.pth\).* exactly one'
    with pytest.raises(FileNotFoundError, match=two):
        find_file('run [1]/*.pth', 'checkpoint', 'give one')
    none = r'no checkpoint run \[1\]/last\*.pth \(run \[1\] holds best_top1.pth, .*\): train one\.$'
    with pytest.raises(FileNotFoundError, match=none):
        find_file('run [1]/last*.pth', 'checkpoint', 'train one')
    with pytest.raises(FileNotFoundError, match=r'no checkpoint run \[1\] \(run \[1\] holds best'):
        find_file('run [1]', 'checkpoint', 'give a file')


def test_a_file_and_its_folders_are_made(tmp_path):
    write_whole(tmp_path / 'a/b/file', b'first')
    write_whole(tmp_path / 'a/b/file', b'second')
    assert (tmp_path / 'a/b/file').read_bytes() == b'second'
    assert [path.name for path in (tmp_path / 'a/b').iterdir()] == ['file']


@pytest.mark.parametrize(
    ('path', 'reason'),
    [
        ('folder', 'a folder is there where a file is meant'),
        ('file/x', 'a file is there where a folder is meant'),
        ('n' * 300, 'shorten the name'),
        ('/proc/x', 'No such file or directory'),
        ('/dev/full', 'make room and try again'),
    ],
)
def test_a_bad_place_is_a_sentence_and_nothing_is_left(tmp_path, monkeypatch, path, reason):
    monkeypatch.chdir(tmp_path)
    Path('folder').mkdir()
    Path('file').write_text('mine')
    with pytest.raises(OSError, match=reason) as caught:
        write_whole(path, b'content')
    assert f'] {path} could not be written (' in str(caught.value)
    assert caught.value.errno in errno.errorcode
    assert sorted(p.name for p in tmp_path.iterdir()) == ['file', 'folder']
    assert Path('file').read_text() == 'mine'


def test_a_device_stays_a_device():
    write_whole('/dev/null', b'content')
    assert stat.S_ISCHR(Path('/dev/null').stat().st_mode)


@pytest.mark.parametrize(
    ('content', 'problem'),
    [
        ('{"a": ', 'is not JSON'),
        ('[' * 1_000_000, 'is not JSON .*recursion'),
        ('[1]', 'holds a list; expected a dict'),
        (b'\xff\xfe\x00', 'is not JSON'),
    ],
)
def test_what_is_no_json_of_its_kind_is_named(tmp_path, content, problem):
    path = tmp_path / 'a.json'
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=f'a.json {problem}.*: write it again.$'):
        read_json(path, dict, 'write it again')
    path.write_text('\ufeff{"a": 1}')
    assert read_json(path, dict, 'write it again') == {'a': 1}


def test_what_killed_processes_have_left_of_a_file_is_removed(tmp_path):
    process = subprocess.Popen(['true'])
    process.wait()
    names = [
        f'.a.json.{process.pid}.part',
        f'.b.json.{process.pid}.part',
        f'.a.json.{os.getppid()}.part',  # alive
        '.a.json.mine.part',
        f'a.json.{process.pid}.part',
    ]
    for name in names:
        (tmp_path / name).touch()
    write_whole(tmp_path / 'a.json', b'')
    assert {path.name for path in tmp_path.iterdir()} == {'a.json', *names[1:]}
    remove_parts(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {'a.json', *names[2:]}
