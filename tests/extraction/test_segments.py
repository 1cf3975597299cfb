"""read_segments: the frames that training's data sets will ask for, by video."""

from pathlib import Path

import pytest

from mmdistill.datasets import MultimodalDataset
from mmdistill.extraction.segments import list_videos, read_segments, result_paths

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
    assert [video[:3] for video in videos] == [
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
    assert videos[0][:3] == ('a', Path('R/clips/a.avi'), [(0, 7), (7, 9)])
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


class TestResultPaths:
    CSV = 'video_id,start_frame,stop_frame,kitchen,sample_id\n{}'

    def paths(self, folder, template, *rows):
        (folder / 'a.csv').write_text(self.CSV.format('\n'.join(rows)))
        return result_paths(read_segments([folder / 'a.csv']), template)

    def test_ids_with_folders_and_columns(self, tmp_path):
        rows = ['Step_1/clip_07,0,5,k1,s1', 'Step_2/clip_07,0,5,k2,s2', 'Step_1/clip_07,5,9,k1,s3']
        assert self.paths(tmp_path, 'out/{kitchen}/{video_id}.flac', *rows) == [
            Path('out/k1/Step_1/clip_07.flac'),
            Path('out/k2/Step_2/clip_07.flac'),
        ]
        with pytest.raises(ValueError, match=r"'Step_1/clip_07' \(KeyError\('sample_id'\)\)"):
            self.paths(tmp_path, 'out/{sample_id}', *rows)

    def test_it_is_where_the_data_set_looks(self, tmp_path):
        rows = ['Step_1/[a] {0} 100%,0,5,k 1,s1', 'Step_2/b,0,5,k2,s2']
        template = '{kitchen}/{video_id}/x'
        found = self.paths(tmp_path, template, *rows)
        media = {'rgb': 'v', 'flow': template}
        dataset = MultimodalDataset(
            str(tmp_path / 'a.csv'), media=media, labelled=False, check_media=False
        )
        expected = [dataset.load_record(i)['media']['flow'] for i in range(2)]
        assert list(map(str, found)) == expected

    @pytest.mark.parametrize(
        ('template', 'ids', 'message'),
        [
            ('out', ['a', 'b'], 'same path'),
            ('out/{video_id}', ['a', 'a/b'], 'inside the result .*out/a of another'),
            ('out/{video_id}', ['../../a'], 'leads out of its folder: out/../../a'),
            ('out/{0}/{video_id}', ['a'], 'cannot be filled in.*a brace .* written twice'),
            ('out/{video_id.x}', ['a'], 'cannot be filled in'),
        ],
    )
    def test_what_cannot_be(self, tmp_path, template, ids, message):
        with pytest.raises(ValueError, match=message):
            self.paths(tmp_path, template, *(f'{name},0,5,k,{name}' for name in ids))


def test_annotations_by_pattern(tmp_path):
    for name in ('a [1]', 'b [1]'):
        (tmp_path / f'{name}.csv').write_text('video_id,start_frame,stop_frame\nv,0,5\n')
    videos = read_segments([tmp_path / 'a [1].csv', f'{tmp_path}/b*.csv'])
    assert videos[0].segments == [(0, 5), (0, 5)]
