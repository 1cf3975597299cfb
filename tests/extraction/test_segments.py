"""read_segments: the frames that training's data sets will ask for, by video."""

from pathlib import Path

import pytest

from mmdistill.extraction.segments import list_videos, read_segments

EPIC_COLUMNS = (
    'narration_id,participant_id,video_id,start_timestamp,stop_timestamp,start_frame,stop_frame'
)


@pytest.fixture
def epic(tmp_path) -> Path:
    """Official columns; the frame numbers are 50 per second, the videos have 10."""
    folder = tmp_path / 'annotations'
    folder.mkdir()
    info = 'video_id,duration,fps,resolution\nP01_101,9.0,10.0,64x48\nP02_102,9.0,10.0,64x48\n'
    (folder / 'EPIC_100_video_info.csv').write_text(info)
    for name, rows in (
        ('train', ['P01_101_0,P01,P01_101,00:00:00.50,00:00:01.20,25,60']),
        (
            'validation',
            [
                'P02_102_0,P02,P02_102,00:00:00.00,00:00:00.30,1,15',
                'P02_102_1,P02,P02_102,00:00:01.00,00:00:02.00,50,100',
            ],
        ),
    ):
        (folder / f'{name}.csv').write_text('\n'.join([EPIC_COLUMNS, *rows]) + '\n')
    return folder


def test_epic_kitchens_segments_of_several_files(epic):
    videos = read_segments([epic / 'train.csv', epic / 'validation.csv'], data_root='R')
    assert videos == [
        ('P01_101', Path('R/P01/videos/P01_101.MP4'), [(5, 12)]),
        ('P02_102', Path('R/P02/videos/P02_102.MP4'), [(0, 3), (10, 20)]),
    ]


def test_epic_kitchens_needs_the_frame_rates(epic):
    (epic / 'EPIC_100_video_info.csv').rename(epic / 'rates.csv')
    with pytest.raises(FileNotFoundError, match='EPIC_100_video_info.csv'):
        read_segments([epic / 'train.csv'])
    videos = read_segments([epic / 'train.csv'], video_info=epic / 'rates.csv')
    assert videos[0].segments == [(5, 12)]


def test_own_csv_is_0_based_and_exclusive(tmp_path):
    csv = tmp_path / 'mine.csv'
    csv.write_text('video_id,start_frame,stop_frame,action\na,0,7,3\nb,2,5,1\na,7,9,0\n')
    videos = read_segments([csv], data_root='R', media='clips/{video_id}.avi')
    assert videos[0] == ('a', Path('R/clips/a.avi'), [(0, 7), (7, 9)])
    assert read_segments([csv], data_root='R')[1].path == Path('R/videos/b.mp4')


def test_list_videos(tmp_path):
    for name in ('x/b.mp4', 'y/a.mp4'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    videos = list_videos([f'{tmp_path}/*/*.mp4', f'{tmp_path}/x/b.mp4'])
    assert [(video.video_id, video.segments) for video in videos] == [('b', None), ('a', None)]
    (tmp_path / 'y/b.mp4').touch()
    with pytest.raises(ValueError, match="same video id 'b'"):
        list_videos([f'{tmp_path}/*/*.mp4'])
    with pytest.raises(FileNotFoundError, match=r"Nothing matches '.*avi'"):
        list_videos([f'{tmp_path}/*.avi'])
