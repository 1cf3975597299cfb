"""EpicKitchensDataset: the official layout in miniature."""

import pytest

from mmdistill.datasets import EpicKitchensDataset

HEADER = (
    'narration_id,participant_id,video_id,narration_timestamp,start_timestamp,stop_timestamp,'
    'start_frame,stop_frame,narration,verb,verb_class,noun,noun_class,all_nouns,all_noun_classes'
)
ROWS = [
    'P01_11_0,P01,P01_11,00:00:00.560,00:00:00.00,00:00:01.89,1,113,take plate,take,0,plate,2,'
    "['plate'],[2]",
    'P01_11_1,P01,P01_11,,00:01:01.56,00:01:02.45,3693,3747,"put down, gently",put-down,1,plate,2,'
    '"[\'plate\', \'cup\']","[2, 1]"',
    'P18_101_0,P18,P18_101,00:00:01.100,00:00:02.00,00:00:03.00,100,150,wash cup,wash,2,cup,1,'
    "['cup'],[1]",
]
TEST_HEADER = (
    'narration_id,participant_id,video_id,narration_timestamp,start_timestamp,stop_timestamp,'
    'start_frame,stop_frame'
)
# The real verb file has Windows line ends, the real noun file quotes.
FILES = {
    'ann.csv': '\n'.join([HEADER, *ROWS]) + '\n',
    'verbs.csv': 'id,key,instances,category\r\n0,take,"[\'take\']",retrieve\r\n'
    '1,put,x,leave\r\n2,wash,x,clean\r\n',
    'nouns.csv': '"id","key","instances","category"\n0,"tap",x,y\n1,"cup",x,y\n2,"plate",x,y\n',
    'tail_verbs.csv': 'verb\n2\n',
    'tail_nouns.csv': 'noun\n2\n0\n',
    'unseen.csv': 'participant_id\nP18\nP32\n',
    'info.csv': 'video_id,duration,fps,resolution\nP01_11,62.44,29.97002997002997,1920x1080\n'
    'P18_101,100.0,50.0,1920x1080\n',
}


@pytest.fixture
def build(tmp_path):
    """Build a data set in a folder of `FILES`, some of them replaced."""

    def build_dataset(files: dict[str, str] | None = None, **kwargs) -> EpicKitchensDataset:
        for name, text in (FILES | (files or {})).items():
            (tmp_path / name).write_bytes(text.encode())
        # Serializing collects garbage, 0.1 s each; test_multimodal.py covers it.
        kwargs.setdefault('serialize_data', False)
        return EpicKitchensDataset('ann.csv', data_root=str(tmp_path), **kwargs)

    return build_dataset


def records_of(dataset: EpicKitchensDataset) -> list[dict]:
    return [dataset.load_record(i) for i in range(len(dataset))]


def replace_in_row(row: int, old: str, new: str) -> dict[str, str]:
    rows = list(ROWS)
    assert rows[row].count(old) == 1
    rows[row] = rows[row].replace(old, new)
    return {'ann.csv': '\n'.join([HEADER, *rows]) + '\n'}


def test_record(build, tmp_path):
    dataset = build(media=dict(rgb='{participant_id}/videos/{video_id}.MP4'), check_media=False)
    assert dataset.load_record(1) == dict(
        sample_id='P01_11_1',
        narration_id='P01_11_1',
        video_id='P01_11',
        participant_id='P01',
        group='P01_11',
        start_frame=3692,
        stop_frame=3746,
        total_frames=54,
        start_index=3692,
        flow_stride=2,
        avg_fps=60.0,
        label=dict(verb=1, noun=2),
        media=dict(rgb=str(tmp_path / 'P01/videos/P01_11.MP4')),
        modality='RGB',
        sample_idx=1,
    )


def segments_of(records: list[dict]) -> list[tuple[int, int]]:
    return [(r['start_frame'], r['stop_frame']) for r in records]


def test_published_jpegs_count_from_1_and_their_flow_of_epic_kitchens_55_is_at_half_rate(build):
    # Frame k, counted from 0, is frame_{k + 1:010d}.jpg: segments 1-112, 3693-3746, 100-149.
    records = records_of(build())
    assert segments_of(records) == [(0, 112), (3692, 3746), (99, 149)]
    assert [(r['flow_stride'], r['avg_fps']) for r in records] == [(2, 60), (2, 60), (1, 50)]


def test_frames_of_the_videos_follow_time_not_published_numbers(build):
    records = records_of(build(video_info='info.csv'))
    # 61.56 s and 62.45 s at 29.97 frames/s: 1844.9 and 1871.6; the video has 1871 frames.
    assert segments_of(records) == [(0, 56), (1844, 1871), (100, 150)]
    assert [r['total_frames'] for r in records] == [56, 27, 50]
    assert [r['flow_stride'] for r in records] == [1, 1, 1]
    assert [round(r['avg_fps'], 2) for r in records] == [29.97, 29.97, 50]


def test_timestamps_that_fall_on_a_frame_do_not_slip_to_the_one_before(build):
    rows = [
        f'a{frame},P01,P01_11,,00:00:{frame / 50:05.2f},00:00:{(frame + 1) / 50:05.2f},1,2,,,0,,0,,'
        for frame in range(80)
    ]
    files = {
        'info.csv': 'video_id,duration,fps\nP01_11,9.0,50\n',
        'ann.csv': '\n'.join([HEADER, *rows]),
    }
    records = records_of(build(files, video_info='info.csv'))
    assert segments_of(records) == [(k, k + 1) for k in range(80)]


def test_video_info_must_know_every_video(build):
    files = {'info.csv': 'video_id,duration,fps\nP01_11,62.44,50\n'}
    message = r"ann\.csv, line 4: video 'P18_101' .* the 1 of info\.csv"
    with pytest.raises(ValueError, match=message):
        build(files, video_info='info.csv')


def test_segment_after_the_end_of_its_video(build):
    files = {'info.csv': 'video_id,duration,fps\nP01_11,30.0,50\nP18_101,9,50\n'}
    with pytest.raises(ValueError, match=r"line 3: sample 'P01_11_1' has an empty segment"):
        build(files, video_info='info.csv')


@pytest.mark.parametrize('fps', ['0', 'nan', 'fast'])
def test_impossible_frame_rate(build, fps):
    files = {'info.csv': f'video_id,duration,fps\nP01_11,30.0,{fps}\n'}
    with pytest.raises(ValueError, match=rf"info\.csv, line 2: column 'fps' holds '{fps}'"):
        build(files, video_info='info.csv')


@pytest.mark.parametrize(
    'time',
    [
        '1.89',
        '00:00:nan',
        '00:00:inf',
        '-1:00:01.89',
        '00:-1:01',
        '00:00:-1',
        '00:00:1e3',
        '00:00:',
    ],
)
def test_bad_timestamp(build, time):
    with pytest.raises(ValueError, match=f"line 2: column 'stop_timestamp' holds '{time}'"):
        build(replace_in_row(0, '00:00:01.89', time), video_info='info.csv')


def test_class_names_tail_and_unseen(build):
    dataset = build(
        verb_classes='verbs.csv',
        noun_classes='nouns.csv',
        tail_verbs='tail_verbs.csv',
        tail_nouns='tail_nouns.csv',
        unseen_participants='unseen.csv',
    )
    assert dataset.metainfo['classes'] == dict(
        verb=['take', 'put', 'wash'], noun=['tap', 'cup', 'plate']
    )
    flags = [(r['unseen'], r['tail_verb'], r['tail_noun']) for r in records_of(dataset)]
    assert flags == [(False, False, True), (False, False, True), (True, True, False)]


def test_version_2_of_the_noun_file_still_means_300_nouns(build):
    nouns = 'id,key,instances,category\n' + ''.join(f'{i},noun{i},x,y\n' for i in range(305))
    dataset = build({'nouns.csv': nouns}, noun_classes='nouns.csv')
    assert len(dataset.metainfo['classes']['noun']) == 300
    with pytest.raises(ValueError, match='noun class 300 .* 0 to 299'):
        files = {'nouns.csv': nouns} | replace_in_row(2, 'cup,1,', 'cup,300,')
        build(files, noun_classes='nouns.csv')


def test_test_timestamps_have_no_labels(build):
    files = {'ann.csv': f'{TEST_HEADER}\nP01_101_0,P01,P01_101,x,00:00:02.86,00:00:03.87,143,193\n'}
    with pytest.raises(ValueError, match=r"lacks the columns \['noun_class', 'verb_class'\]"):
        build(files)
    (record,) = records_of(
        build(
            files,
            labelled=False,
            tail_verbs='tail_verbs.csv',
            unseen_participants='unseen.csv',
            verb_classes='verbs.csv',
        )
    )
    assert 'label' not in record
    assert 'tail_verb' not in record
    assert record['unseen'] is False


@pytest.mark.parametrize(
    ('row', 'old', 'new', 'message'),
    [
        (0, ',1,113,', ',0,113,', r'line 2: start_frame is 0; EPIC-KITCHENS counts frames from 1'),
        (1, '3693,3747', '3747,3693', r"line 3: sample 'P01_11_1' has an inverted segment"),
        (2, '100,150', '100,100', r"line 4: sample 'P18_101_0' has an empty segment"),
        (2, 'wash,2,', 'wash,3,', r"line 4: sample 'P18_101_0' has verb class 3 .* 0 to 2 .*verbs"),
        (2, 'cup,1,', 'cup,-1,', r"line 4: sample 'P18_101_0' has noun class -1"),
        (2, 'P18_101_0,', 'P01_11_0,', r"line 4: sample id 'P01_11_0' is taken by line 2"),
        (2, ',P18,', ',,', r"line 4: column 'participant_id' is empty"),
        (2, '150,', 'nan,', r"line 4: column 'stop_frame' holds 'nan'"),
    ],
)
def test_mistakes_in_a_row(build, row, old, new, message):
    with pytest.raises(ValueError, match=r'ann\.csv, ' + message):
        build(replace_in_row(row, old, new), verb_classes='verbs.csv', noun_classes='nouns.csv')


def test_swapped_list_file_is_named(build):
    with pytest.raises(ValueError, match=r"tail_nouns\.csv lacks the columns \['verb'\]"):
        build(tail_verbs='tail_nouns.csv')


def test_missing_media(build):
    with pytest.raises(FileNotFoundError, match=r'2 of 2 media files .*P01_11.*P18_101'):
        build(media=dict(rgb='{participant_id}/videos/{video_id}.MP4'))


def test_holdout_is_by_video(build):
    rows = [
        f'v{i}_{j},P01,P01_{i:02d},x,x,x,{j},{j + 1},x,x,0,x,0,x,x'
        for i in range(20)
        for j in range(1, 11)
    ]
    files = {'ann.csv': '\n'.join([HEADER, *rows])}
    parts = [records_of(build(files, split=split)) for split in ('train', 'holdout')]
    assert [len(part) for part in parts] == [180, 20]
    train, holdout = ({record['video_id'] for record in part} for part in parts)
    assert len(train | holdout) == 20
    assert not train & holdout


@pytest.mark.parametrize('axis', ['', 'u'])
@pytest.mark.parametrize(('number', 'refused'), [(185_502, False), (185_503, True)])
def test_the_first_extraction_of_two_videos_is_refused(build, tmp_path, axis, number, refused):
    """P01_109 has 185,402 frames; the first one published had 222,487, at another rate."""
    row = ROWS[2].replace('P18_101', 'P01_109').replace(',P18,', ',P01,')
    folder = tmp_path / 'frames/P01_109' / axis
    folder.mkdir(parents=True)
    (folder / f'frame_{number:010d}.jpg').touch()
    files = {'ann.csv': f'{HEADER}\n{row}\n'}
    dataset = build(files, media=dict(any='frames/{video_id}'))
    if refused:
        with pytest.raises(ValueError, match=r'P01_109.*60 frames/s.*185402.*--errata'):
            dataset.load_record(0)
    else:
        assert dataset.load_record(0)['video_id'] == 'P01_109'


def test_windows_line_ends_and_a_byte_order_mark(build):
    files = {name: '\ufeff' + '\r\n'.join([*text.splitlines(), '']) for name, text in FILES.items()}
    lists = dict(
        verb_classes='verbs.csv', noun_classes='nouns.csv', unseen_participants='unseen.csv'
    )
    plain, other = records_of(build(**lists)), records_of(build(files, **lists))
    assert plain == other and len(plain) == 3


def test_annotations_of_epic_kitchens_55(build):
    old = 'uid,participant_id,video_id,narration,start_frame,stop_frame,verb_class,noun_class\n'
    with pytest.raises(ValueError, match=r"ann\.csv lacks the columns \['narration_id'\]"):
        build({'ann.csv': old + '1,P01,P01_01,open door,8,202,2,8\n'})
    old = 'verb_id,class_key,verbs\n0,take,x\n'
    with pytest.raises(ValueError, match=r"verbs\.csv lacks the columns \['id'\]"):
        build({'verbs.csv': old}, verb_classes='verbs.csv')
