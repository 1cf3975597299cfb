"""MultimodalDataset: a user's CSV becomes records; every mistake in it is named."""

import copy
import pickle
import random
import re

import pytest

from mmdistill.datasets import MultimodalDataset
from mmdistill.registry import DATASETS

HEADER = 'video_id,start_frame,stop_frame,verb,noun'
ROWS = ['v1,0,8,0,1', 'v1,8,20,1,0', 'v2,5,6,1,1']


@pytest.fixture
def write_csv(tmp_path):
    def write(rows, header: str = HEADER, name: str = 'ann.csv') -> str:
        (tmp_path / name).write_text('\n'.join([header, *rows]) + '\n')
        return name

    return write


@pytest.fixture
def build(tmp_path, write_csv):
    """Build a data set from rows; further arguments go to the constructor."""

    def build_dataset(rows=ROWS, header: str = HEADER, **kwargs) -> MultimodalDataset:
        # Serializing collects garbage, 0.1 s each; one test below covers it.
        kwargs.setdefault('serialize_data', False)
        return MultimodalDataset(write_csv(rows, header), data_root=str(tmp_path), **kwargs)

    return build_dataset


def test_record_has_all_that_the_pipeline_needs(build, tmp_path):
    dataset = build(media=dict(rgb='{video_id}.mp4', obj='boxes.h5'), check_media=False)
    assert len(dataset) == 3
    assert dataset.load_record(1) == dict(
        sample_id='v1_8_20',
        video_id='v1',
        group='v1',
        start_frame=8,
        stop_frame=20,
        total_frames=12,
        start_index=8,
        label=dict(verb=1, noun=0),
        media=dict(rgb=str(tmp_path / 'v1.mp4'), obj=str(tmp_path / 'boxes.h5')),
        modality='RGB',
        sample_idx=1,
    )


def test_record_counts_from_the_end_and_not_beyond(build):
    dataset = build()
    assert dataset.load_record(-3) == dataset.load_record(0)
    for index in (3, -4):
        with pytest.raises(IndexError, match=f'no clip {index} among the 3'):
            dataset.load_record(index)


def test_single_action_label_is_an_int(build):
    assert build(['v,0,4,7'], 'video_id,start_frame,stop_frame,action').load_record(0)['label'] == 7


def test_own_sample_ids_groups_and_template_columns(build):
    dataset = build(
        ['v,0,4,0,0,first,kitchen,left', 'v,0,4,1,0,second,,right'],
        HEADER + ',sample_id,group,camera',
        media=dict(rgb='/data/{camera}/{group}/{sample_id}.mp4'),
        check_media=False,
    )
    records = [dataset.load_record(i) for i in range(2)]
    assert [record['media']['rgb'] for record in records] == [
        '/data/left/kitchen/first.mp4',
        '/data/right/v/second.mp4',
    ]
    assert 'camera' not in records[0]


def test_class_names_reach_the_metainfo_without_the_annotations(tmp_path, write_csv):
    write_csv(['1,cup', '0,"plate, flat"'], 'id,name', 'nouns.csv')
    dataset = MultimodalDataset(
        'absent.csv', data_root=str(tmp_path), tasks=dict(noun='nouns.csv'), lazy_init=True
    )
    assert dataset.metainfo['classes'] == dict(noun=['plate, flat', 'cup'])


@pytest.mark.parametrize('serialize_data', [True, False])
def test_upstream_features_keep_working(build, serialize_data):
    dataset = build(lazy_init=True, serialize_data=serialize_data)
    assert not dataset._fully_initialized
    assert dataset.load_record(2)['sample_id'] == 'v2_5_6'
    assert [r['sample_id'] for r in map(dataset.get_subset([2, 0]).load_record, (0, 1))] == [
        'v2_5_6',
        'v1_0_8',
    ]
    for clone in (copy.deepcopy(dataset), pickle.loads(pickle.dumps(dataset))):
        assert clone.load_record(0) == dataset.load_record(0)
    dataset.load_record(0)['label']['verb'] = 9
    assert dataset.load_record(0)['label']['verb'] == 0


def test_pipeline_gets_the_record_and_the_registry_builds_the_data_set(build, tmp_path):
    name = build().ann_file
    dataset = DATASETS.build(
        dict(
            type='mmdistill.MultimodalDataset',
            ann_file=name,
            data_root=str(tmp_path),
            pipeline=[lambda results: (results['sample_id'], results['start_index'])],
            test_mode=True,
        )
    )
    assert [dataset[i] for i in range(3)] == [('v1_0_8', 0), ('v1_8_20', 8), ('v2_5_6', 5)]


def test_unlabelled_clips_only_on_request(build):
    header = 'video_id,start_frame,stop_frame'
    with pytest.raises(ValueError, match=r'ann\.csv lacks label columns.*action, or verb and noun'):
        build(['v,0,4'], header)
    assert 'label' not in build(['v,0,4'], header, labelled=False).load_record(0)
    assert 'label' not in build(labelled=False).load_record(0)


def test_empty_labels_only_on_request(build):
    rows = ['v1,0,8,0,1', 'v1,8,20,1,', 'v2,5,6,,']
    with pytest.raises(ValueError, match=r"line 3: sample 'v1_8_20' has no noun.*labelled='some'"):
        build(rows)
    dataset = build(rows, labelled='some')
    records = [dataset.load_record(i) for i in range(3)]
    assert [record.get('label') for record in records] == [
        dict(verb=0, noun=1),
        dict(verb=1, noun=None),
        None,
    ]
    exported = build(
        ['v1,0,8,0.0,1.0', 'v1,8,20,1.0,', 'v2,5,6,nan,-1'], labelled='some', serialize_data=False
    )
    assert [exported.load_record(i).get('label') for i in range(3)] == [
        record.get('label') for record in records
    ]
    with pytest.raises(ValueError, match=r"column 'verb' holds '0\.0'.*astype\(.Int64.\)"):
        build(['v1,0,8,0.0,1.0'])
    with pytest.raises(ValueError, match="no verb class, column 'verb' is nan; .*labelled='some'"):
        build(['v1,0,8,nan,1'])
    single = build(['v,0,4,7', 'v,4,8,'], 'video_id,start_frame,stop_frame,action', labelled='some')
    assert [single.load_record(i).get('label') for i in range(2)] == [7, None]
    with pytest.raises(ValueError, match=r"'v1_8_20' has verb class -2"):
        build(['v1,8,20,-2,'], labelled='some')
    with pytest.raises(ValueError, match="labelled is 'none'; expected True, False or 'some'"):
        build(labelled='none')


def test_a_holdout_is_of_labelled_clips(build):
    rows = [f'v{i},{j},{j + 1},0,{0 if j % 2 else ""}' for i in range(8) for j in range(4)]
    parts = {}
    for split in ('train', 'holdout'):
        dataset = build(rows, split=split, holdout=dict(ratio=0.25), labelled='some')
        parts[split] = [dataset.load_record(i) for i in range(len(dataset))]
    assert {str(record['label']) for record in parts['holdout']} == {"{'verb': 0, 'noun': 0}"}
    assert len(parts['holdout']) == 4  # of 2 videos with 2 labelled clips each
    assert len(parts['train']) == 24
    videos = [{record['video_id'] for record in part} for part in parts.values()]
    assert not videos[0] & videos[1]


def test_label_columns_must_be_clear(build):
    header = HEADER + ',action'
    with pytest.raises(ValueError, match='say which to learn'):
        build(['v,0,4,1,2,3'], header)
    assert build(['v,0,4,1,2,3'], header, tasks=dict(action=None)).load_record(0)['label'] == 3
    with pytest.raises(ValueError, match=r"expected \['tool'\], found \['video_id'"):
        build(tasks=dict(tool=None))


@pytest.mark.parametrize('label', [-1, 2])
def test_label_out_of_range(build, write_csv, label):
    write_csv(['0,push', '1,pull'], 'id,name', 'verbs.csv')
    message = rf"ann\.csv, line 3: sample 'v_8_9' has verb class {label} .* 0 to 1 as in verbs\.csv"
    with pytest.raises(ValueError, match=message):
        build(['v,0,8,1,0', f'v,8,9,{label},0'], tasks=dict(verb='verbs.csv', noun=None))


def test_negative_label_without_class_file(build):
    with pytest.raises(ValueError, match="noun class -1 .* 0 or more, or labelled='some'"):
        build(['v,0,8,1,-1'])


@pytest.mark.parametrize(
    ('start', 'stop', 'kind'), [(4, 4, 'an empty'), (5, 4, 'an inverted'), (-1, 4, 'a negative')]
)
def test_impossible_segment(build, start, stop, kind):
    message = rf"ann\.csv, line 3: sample 'w_{start}_{stop}' has {kind} segment"
    with pytest.raises(ValueError, match=message):
        build(['v,0,8,1,0', f'w,{start},{stop},1,0'])


@pytest.mark.parametrize('text', ['8.0', '1e12', 'x', ''])
def test_frames_are_whole_numbers(build, text):
    with pytest.raises(ValueError, match=f"line 2: column 'stop_frame' holds '{text}'; expected a"):
        build([f'v,0,{text},1,0'])


def test_missing_columns(build):
    with pytest.raises(ValueError, match=r"ann\.csv lacks the columns \['stop_frame'\]"):
        build(['v,0,1'], 'video_id,start_frame,verb')


def test_duplicate_sample_ids(build):
    with pytest.raises(ValueError, match=r"line 4: sample id 'v_0_8' is taken by line 2"):
        build(['v,0,8,1,0', 'v,8,9,1,0', 'v,0,8,0,0'])


@pytest.mark.parametrize(
    'template', ['{vidoe_id}.mp4', '{}.mp4', '{video_id.x}', '{video_id:d}', '{']
)
def test_broken_media_template(build, template):
    message = re.escape(f'rgb={template!r}') + r".*placeholders that exist are \['group', 'noun'"
    with pytest.raises(ValueError, match=message):
        build(media=dict(rgb=template))


def test_missing_media_name_the_first_three_and_the_count(build, tmp_path):
    rows = [f'v{i},{start},{start + 4},0,0' for i in range(6) for start in (0, 4)]
    (tmp_path / 'v1.mp4').touch()
    with pytest.raises(FileNotFoundError) as error:
        build(rows, media=dict(rgb='{video_id}.mp4'))
    assert '5 of 6 media files' in str(error.value)
    named = [f'v{i}.mp4' for i in range(6) if f'v{i}.mp4' in str(error.value)]
    assert named == ['v0.mp4', 'v2.mp4', 'v3.mp4']
    assert len(build(rows, media=dict(rgb='{video_id}.mp4'), check_media=False)) == 12


def test_media_may_be_files_or_folders(build, tmp_path):
    (tmp_path / 'v1').mkdir()
    (tmp_path / 'v2').touch()
    assert len(build(media=dict(rgb='{video_id}'))) == 3


def many_rows(num_videos: int = 40) -> list[str]:
    return [f'v{i},{j},{j + 1},0,0' for i in range(num_videos) for j in range(1 + i % 7)]


def test_split_divides_the_clips_by_video(build):
    rows = many_rows()
    parts = {}
    for split in (None, 'train', 'holdout'):
        dataset = build(rows, split=split, holdout=dict(ratio=0.25, seed=3))
        parts[split] = [dataset.load_record(i) for i in range(len(dataset))]
    ids = {split: [record['sample_id'] for record in part] for split, part in parts.items()}
    videos = {split: {record['video_id'] for record in part} for split, part in parts.items()}
    assert sorted(ids['train'] + ids['holdout']) == sorted(ids[None])
    assert not videos['train'] & videos['holdout']
    assert len(ids['holdout']) / len(rows) == pytest.approx(0.25, abs=0.03)
    # The order of the file is kept inside each part.
    assert ids['train'] == [i for i in ids[None] if i in set(ids['train'])]


def test_split_does_not_depend_on_the_order_of_the_rows(build):
    def held_out(rows):
        dataset = build(rows, split='holdout')
        return {dataset.load_record(i)['sample_id'] for i in range(len(dataset))}

    rows = many_rows()
    assert held_out(rows) == held_out(random.Random(0).sample(rows, len(rows)))


def test_split_follows_the_group_column(build):
    header = HEADER + ',group'
    rows = [f'v{i},0,4,0,0,kitchen{i % 4}' for i in range(24)]
    dataset = build(rows, header, split='holdout', holdout=dict(ratio=0.25))
    groups = [dataset.load_record(i)['group'] for i in range(len(dataset))]
    assert len(groups) == 6
    assert len(set(groups)) == 1


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(split='val'), r"Unknown split 'val'; expected one of \[None, 'train', 'holdout'\]"),
        (dict(holdout=dict(fraction=0.1)), r"Unknown keys \['fraction'\] in holdout"),
        (dict(split='holdout', holdout=dict(ratio=0)), r"ann\.csv, split='holdout': The ratio"),
    ],
)
def test_bad_split(build, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(**arguments)


@pytest.mark.parametrize('split', ['train', 'holdout'])
def test_empty_holdout(build, split):
    with pytest.raises(
        ValueError, match=r'ann\.csv.*holdout would be empty.*2 clips are in 1 \(v\)'
    ):
        build(['v,0,8,1,0', 'v,8,9,1,0'], split=split)
