"""Outputs that would cost the user something: inputs, foreign files, other runs."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

from bad_row import Row, truncate

FLOW, AUDIO = 'tools/data/extract_flow.py', 'tools/data/extract_audio.py'
BOXES, PACK = 'tools/data/extract_detections.py', 'tools/data/pack_hdf5.py'
ONE = '--workers 0 --videos videos/P01_01.mp4'
ALL = "--workers 0 --videos 'videos/*.mp4'"
DETECTOR = f'detector.py detector.pth --score-thr 0 {ALL}'
ELSEWHERE = 'choose another place for the output'
RANKS = (('WORLD_SIZE', '2'), ('RANK', '0'))

held = []  # what rows lock; a lock is free when its file is collected


def lock(name: str) -> Callable[[Path], None]:
    """Another run holds this lock."""

    def hold(here: Path) -> None:
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        held[:] = [path.open('w')]
        fcntl.flock(held[0], fcntl.LOCK_EX)

    return hold


def write(name: str, text: str = 'mine') -> Callable[[Path], None]:
    """A file of the user."""

    def make(here: Path) -> None:
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)

    return make


def link(name: str, target: str) -> Callable[[Path], None]:
    """A symbolic link."""
    return lambda here: (here / name).symlink_to(target)


def keep_beside(here: Path) -> None:
    """A video in the folder that the template names."""
    (here / 'P01/raw').mkdir(parents=True)
    shutil.move(here / 'videos/P01_01.mp4', here / 'P01/raw/P01_01.mp4')


def without_manifest(name: str) -> Callable[[Path], None]:
    return lambda here: (here / name / 'manifest.jsonl').rename(here / 'manifest.txt')


def linked_videos(here: Path) -> None:
    """The videos are links into the folder that is to be replaced."""
    (here / 'videos').rename(here / 'raw')
    (here / 'videos').mkdir()
    for path in (here / 'raw').iterdir():
        (here / 'videos' / path.name).symlink_to(path)


def flow(what: str, options: str, expected: str, **more) -> Row:
    return Row(FLOW, what, f'{options} --overwrite', expected, **more)


def audio(what: str, options: str, expected: str, **more) -> Row:
    return Row(AUDIO, what, f'{options} --overwrite', expected, **more)


def boxes(what: str, options: str, expected: str, **more) -> Row:
    return Row(BOXES, what, f'{options} --overwrite', expected, **more)


ROWS = [
    flow(
        'its folder holds the source videos',
        "--workers 0 --videos 'P01/raw/*.mp4' --out-template '{participant_id}'",
        f"output 'P01' contains the input P01/raw/P01_01.mp4: {ELSEWHERE}",
        prepare=keep_beside,
        as_process=True,
    ),
    flow(
        'the folder of the videos',
        f'{ONE} --out-template videos',
        "output 'videos' contains the input videos/P01_01.mp4",
    ),
    flow(
        'the folder of the videos, by way of ..',
        f'{ONE} --out-template flow/../videos',
        "output 'flow/../videos' contains the input",
    ),
    flow(
        'the folder of the videos, by a link',
        f'{ONE} --out-template alias',
        "output 'alias' contains the input",
        prepare=link('alias', 'videos'),
    ),
    flow(
        'the folder that videos are linked to',
        f'{ONE} --out-template raw',
        "output 'raw' contains the input videos/P01_01.mp4",
        prepare=linked_videos,
    ),
    flow('a video', f'{ONE} --out-template videos/P01_01.mp4', 'is the input videos/P01_01.mp4'),
    flow('an empty template', f"{ONE} --out-template ''", "output '.' is or contains the current"),
    flow('the current folder', f'{ONE} --out-template .', 'contains the current folder'),
    flow('the folder above', f'{ONE} --out-template ..', 'contains the current folder'),
    flow('the root', f'{ONE} --out-template /', 'is or contains the home folder'),
    flow(
        "a folder of the user's",
        f'{ONE} --out-template precious',
        f'precious is not replaced.*it holds notes.txt.*: {ELSEWHERE}, or move it away',
        prepare=write('precious/notes.txt'),
        as_process=True,
    ),
    flow(
        'an empty folder',
        f'{ONE} --out-template precious',
        'precious is not replaced.*manifest.jsonl does not know it',
        prepare=lambda here: (here / 'precious').mkdir(),
    ),
    flow(
        'photos in a folder called u',
        f'{ONE} --out-template precious',
        'precious is not replaced.*it holds u/photo.jpg',
        prepare=write('precious/u/photo.jpg'),
    ),
    flow(
        'notes among the flow',
        f"{ALL} --out-template 'flow/{{video_id}}'",
        'flow/P01_02 is not replaced.*it holds notes.txt',
        prepare=write('flow/P01_02/notes.txt'),
    ),
    flow(
        'flow without a manifest',
        f"{ALL} --out-template 'flow/{{video_id}}'",
        'flow/P01_01 is not replaced.*flow/manifest.jsonl does not know it',
        prepare=without_manifest('flow'),
    ),
    flow(
        'a link to flow',
        f'{ONE} --out-template alias',
        'alias is not replaced.*it is a link',
        prepare=link('alias', 'flow/P01_01'),
    ),
    flow(
        'a file',
        f'{ONE} --out-template notes.txt',
        'notes.txt is not replaced.*it is no folder',
        prepare=write('notes.txt'),
    ),
    flow(
        'no such estimator',
        f"{ALL} --out-template 'flow/{{video_id}}' --estimator Rough",
        'Rough is not in the',
    ),
    flow(
        'several ranks',
        f"{ALL} --out-template 'flow/{{video_id}}'",
        'cannot be used with several ranks',
        env=RANKS,
    ),
    flow(
        '--check of other settings',
        f"{ALL} --out-template 'flow/{{video_id}}' --bound 7 --check",
        'PROBLEM P01_01: .*bound is 20.0 there, 7.0 now',
        listed=True,
    ),
    flow(
        'a video that is damaged by now',
        f"{ONE} --out-template 'flow/{{video_id}}'",
        'FAILED P01_01: ',
        prepare=lambda here: truncate(here / 'videos/P01_01.mp4'),
        left=['flow/.P01_01.failed'],
        listed=True,
    ),
    Row(
        FLOW,
        'other settings',
        f"{ALL} --out-template 'flow/{{video_id}}' --bound 7",
        'other settings.*Choose another place for the output, or move it away',
    ),
    Row(
        FLOW,
        'another run',
        f"{ALL} --out-template 'new/{{video_id}}'",
        'Another run still works in .*new',
        prepare=lock('new/.extraction.lock'),
    ),
    Row(
        FLOW,
        'another run of two ranks',
        f"{ALL} --out-template 'new/{{video_id}}'",
        'Another run still works in .*new',
        prepare=lock('new/.extraction.rank1of2.lock'),
    ),
    audio(
        'the sound is the source',
        "--workers 0 --videos 'sound/*.flac' --out-template 'sound/{video_id}.flac'",
        "output 'sound/P01_01.flac' is the input sound/P01_01.flac",
    ),
    audio(
        'a link to the source',
        '--workers 0 --videos sound/P01_01.flac --out-template alias.flac',
        "output 'alias.flac' is the input",
        prepare=link('alias.flac', 'sound/P01_01.flac'),
    ),
    audio(
        'the source is a link to it',
        '--workers 0 --videos clip.mp4 --out-template sound/P01_01.flac',
        'is the input clip.mp4',
        prepare=link('clip.mp4', 'sound/P01_01.flac'),
    ),
    audio(
        "a file of the user's",
        f'{ONE} --out-template music.flac',
        f'music.flac is not replaced.*manifest.jsonl does not know it.*{ELSEWHERE}',
        prepare=write('music.flac'),
    ),
    audio(
        "a file of the user's beside sound of the video",
        f'{ONE} --out-template sound/music.flac',
        'sound/music.flac is not replaced.*manifest.jsonl does not know it',
        prepare=write('sound/music.flac'),
    ),
    audio(
        'a folder',
        f'{ONE} --out-template album.flac',
        'album.flac is not replaced.*it is no file',
        prepare=write('album.flac/song.txt'),
    ),
    audio(
        'the folder of the videos',
        '--workers 0 --videos raw.flac/P01_01.mp4 --out-template raw.flac',
        "output 'raw.flac' contains the input",
        prepare=lambda here: (here / 'videos').rename(here / 'raw.flac'),
    ),
    audio(
        'sound without a manifest',
        f"{ALL} --out-template 'sound/{{video_id}}.flac'",
        'sound/P01_01.flac is not replaced.*does not know it',
        prepare=without_manifest('sound'),
    ),
    audio(
        'several ranks',
        f"{ALL} --out-template 'sound/{{video_id}}.flac'",
        'cannot be used with several ranks',
        env=RANKS,
    ),
    audio(
        '--check of other settings',
        f"{ALL} --out-template 'sound/{{video_id}}.flac' --sample-rate 8000 --check",
        'PROBLEM P01_01: .*8000 now',
        listed=True,
    ),
    audio(
        'a video that is damaged by now',
        f"{ONE} --out-template 'sound/{{video_id}}.flac'",
        'FAILED P01_01: ',
        prepare=lambda here: truncate(here / 'videos/P01_01.mp4', 0.02),
        left=['sound/.P01_01.flac.failed'],
        listed=True,
    ),
    Row(
        AUDIO,
        'another run',
        f"{ALL} --out-template 'new/{{video_id}}.flac'",
        'Another run still works in .*new',
        prepare=lock('new/.extraction.lock'),
    ),
]
