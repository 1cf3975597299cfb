"""Something-Something V2: the owners' JSON read into records, lengths from videos or a CSV."""

import json

import cv2
import numpy as np
import pytest

from mmdistill.datasets import SomethingSomethingDataset

CLASSES = ['Holding something', 'Pushing something from left to right', 'Tearing something']
TEMPLATES = ['Tearing [something]', 'Holding [something]', 'Pushing [something] from left to right']
LENGTHS = (12, 7, 20)


@pytest.fixture
def root(tmp_path):
    """Three videos, as the owners' files describe them."""
    entries = [
        dict(id=str(100 + i), label='…', template=template, placeholders=['a cup'])
        for i, template in enumerate(TEMPLATES)
    ]
    write(tmp_path / 'train.json', entries)
    write(tmp_path / 'test.json', [dict(id=entry['id']) for entry in entries])
    # Not in the order of the ids, as in the published file.
    write(tmp_path / 'labels.json', {CLASSES[i]: str(i) for i in (2, 0, 1)})
    (tmp_path / 'videos').mkdir()
    for entry, length in zip(entries, LENGTHS, strict=True):
        write_video(tmp_path / 'videos' / f'{entry["id"]}.webm', length)
    return tmp_path


def write(path, content):
    path.write_text(json.dumps(content))


def write_video(path, length):
    """An mp4 by another name: the readers look into the file."""
    made = path.with_suffix('.mp4')
    writer = cv2.VideoWriter(str(made), cv2.VideoWriter_fourcc(*'mp4v'), 12, (32, 24))
    for i in range(length):
        writer.write(np.full((24, 32, 3), 10 * i, np.uint8))
    writer.release()
    made.rename(path)


def dataset(root, ann_file='train.json', **kwargs):
    kwargs.setdefault('media', dict(rgb='videos/{video_id}.webm'))
    return SomethingSomethingDataset(ann_file, labels='labels.json', data_root=str(root), **kwargs)


def test_records_are_whole_videos_with_the_class_of_their_template(root):
    found = dataset(root)
    assert found.metainfo['classes'] == dict(action=CLASSES)
    records = [found.load_record(i) for i in range(3)]
    assert [r['label'] for r in records] == [2, 0, 1]
    assert [r['total_frames'] for r in records] == list(LENGTHS)
    first = records[0]
    assert (first['sample_id'], first['group'], first['start_index']) == ('100', '100', 0)
    assert (first['start_frame'], first['stop_frame']) == (0, 12)
    assert first['media']['rgb'] == str(root / 'videos/100.webm')


def test_frames_of_the_whole_video_are_sampled(root):
    pipeline = dict(
        sample=dict(type='UniformSample', clip_len=4, test_mode=True),
        load=dict(
            type='mmdistill.LoadModalities', modalities=dict(rgb=dict(type='mmdistill.RGBModality'))
        ),
        pack=dict(type='mmdistill.PackModalities'),
    )
    item = dataset(root, pipeline=pipeline, test_mode=True)[2]
    assert item['inputs']['rgb'].shape == (1, 3, 4, 24, 32)
    assert item['data_samples'].gt_label.tolist() == [1]


def test_lengths_from_a_csv_need_no_video(root):
    (root / 'frames.csv').write_text('video_id,num_frames\n100,5\n101,6\n102,7\n')
    found = dataset(root, media={}, frame_counts='frames.csv')
    assert [found.load_record(i)['total_frames'] for i in range(3)] == [5, 6, 7]


def test_folders_of_frames_are_counted(root):
    for name in ('100', '101', '102'):
        (root / 'frames' / name).mkdir(parents=True)
        for i in range(3):
            (root / 'frames' / name / f'{i}.jpg').touch()
    found = dataset(root, media=dict(rgb='frames/{video_id}'))
    assert found.load_record(0)['total_frames'] == 3


def test_a_byte_order_mark(root):
    for name in ('train.json', 'labels.json'):
        path = root / name
        path.write_bytes(b'\xef\xbb\xbf' + path.read_bytes().replace(b', ', b',\r\n'))
    assert [dataset(root).load_record(i)['label'] for i in range(3)] == [2, 0, 1]


def test_a_plain_record_opens_no_video(root):
    record = dataset(root, check_media=False, media=dict(rgb='gone/{video_id}')).plain_record(1)
    assert record['sample_id'] == '101' and 'total_frames' not in record


def test_test_clips_have_no_labels(root):
    found = dataset(root, 'test.json', labelled=False)
    assert 'label' not in found.load_record(0) and len(found) == 3


def test_the_holdout_is_made_of_videos(root):
    parts = {}
    for split in ('train', 'holdout'):
        part = dataset(root, split=split, holdout=dict(ratio=0.4))
        parts[split] = {part.load_record(i)['video_id'] for i in range(len(part))}
    assert not parts['train'] & parts['holdout']
    assert parts['train'] | parts['holdout'] == {'100', '101', '102'}


class TestBadInput:
    def test_a_template_that_is_no_class(self, root):
        write(root / 'train.json', [dict(id='100', template='Folding [something]')])
        with pytest.raises(ValueError, match="entry 1: sample '100'.*'Folding something'.*3 class"):
            dataset(root)

    def test_labels_of_test_clips(self, root):
        with pytest.raises(ValueError, match="column 'template' is empty"):
            dataset(root, 'test.json')

    def test_an_entry_without_an_id(self, root):
        write(root / 'train.json', [dict(template='Tearing [something]')])
        with pytest.raises(ValueError, match=r'train\.json, entry 1: expected \{"id"'):
            dataset(root)

    @pytest.mark.parametrize(
        ('text', 'message'),
        [('{', 'is not JSON'), ('{}', 'holds a dict; expected a list'), ('[]', 'no entries')],
    )
    def test_another_kind_of_file(self, root, text, message):
        (root / 'train.json').write_text(text)
        with pytest.raises(ValueError, match=message):
            dataset(root)

    @pytest.mark.parametrize('number', ['one', None, [1], 1.5, float('nan'), -1, 10**30])
    def test_a_class_without_a_whole_number(self, root, number):
        (root / 'labels.json').write_text(json.dumps({'Moving something': number}))
        with pytest.raises(ValueError, match='labels.json must give each class a whole number'):
            dataset(root)

    def test_classes_with_a_gap(self, root):
        write(root / 'labels.json', {'Holding something': '0', 'Tearing something': '2'})
        with pytest.raises(ValueError, match='number its 2 classes 0 to 1'):
            dataset(root)

    def test_a_missing_annotation_file(self, root):
        with pytest.raises(FileNotFoundError, match=r'gone\.json'):
            dataset(root, 'gone.json')

    def test_a_video_that_the_csv_does_not_list(self, root):
        (root / 'frames.csv').write_text('video_id,num_frames\n100,5\n')
        with pytest.raises(ValueError, match=r"entry 2: video '101' is not in frames\.csv"):
            dataset(root, frame_counts='frames.csv')

    @pytest.mark.parametrize('column', ['num_frames', 'width', 'height'])
    def test_a_length_or_size_of_nothing(self, root, column):
        values = dict(dict(num_frames=5, width=32, height=24), **{column: 0})
        text = f'video_id,{",".join(values)}\n100,{",".join(map(str, values.values()))}\n'
        (root / 'frames.csv').write_text(text)
        with pytest.raises(ValueError, match=f"frames.csv, line 2: column '{column}' holds 0"):
            dataset(root, frame_counts='frames.csv')

    def test_neither_video_nor_csv(self, root):
        with pytest.raises(FileNotFoundError, match='frame_counts a CSV'):
            dataset(root, media={}).load_record(0)

    def test_a_damaged_video(self, root):
        (root / 'videos/100.webm').write_bytes(b'no video')
        with pytest.raises(ValueError, match=r'100\.webm cannot be opened'):
            dataset(root).load_record(0)
