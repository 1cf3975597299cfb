"""EpicKitchensDataset on the owners' files, where they are.

MMDISTILL_EPIC_ANNOTATIONS=<folder of EPIC_100_*.csv> pytest tests/datasets
"""

import csv
import os
from pathlib import Path

import pytest

from mmdistill.datasets import EpicKitchensDataset

ANNOTATIONS = os.environ.get('MMDISTILL_EPIC_ANNOTATIONS', '')
pytestmark = pytest.mark.skipif(
    not (Path(ANNOTATIONS) / 'EPIC_100_validation.csv').is_file(),
    reason='set MMDISTILL_EPIC_ANNOTATIONS to the folder of EPIC_100_validation.csv',
)


def real_validation(**kwargs) -> EpicKitchensDataset:
    return EpicKitchensDataset(
        'EPIC_100_validation.csv',
        data_root=ANNOTATIONS,
        verb_classes='EPIC_100_verb_classes.csv',
        noun_classes='EPIC_100_noun_classes_v2.csv',
        tail_verbs='EPIC_100_tail_verbs.csv',
        tail_nouns='EPIC_100_tail_nouns.csv',
        unseen_participants='EPIC_100_unseen_participant_ids_validation.csv',
        **kwargs,
    )


def records_of(dataset: EpicKitchensDataset) -> list[dict]:
    return [dataset.load_record(i) for i in range(len(dataset))]


def real_rows(name: str) -> list[dict[str, str]]:
    with open(Path(ANNOTATIONS) / name, newline='') as file:
        return list(csv.DictReader(file))


def seconds(timestamp: str) -> float:
    hours, minutes, rest = timestamp.split(':')
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def test_real_validation_set():
    dataset = real_validation()
    rows, records = real_rows('EPIC_100_validation.csv'), records_of(dataset)
    assert len(dataset) == 9668
    assert {task: len(names) for task, names in dataset.metainfo['classes'].items()} == dict(
        verb=97, noun=300
    )
    assert len({record['video_id'] for record in records}) == 138
    assert sum(record['unseen'] for record in records) == 1065
    assert sum(record['tail_verb'] for record in records) == 1760
    assert sum(record['tail_noun'] for record in records) == 1900
    for row, record in zip(rows, records, strict=True):
        assert record['sample_id'] == row['narration_id']
        assert record['label'] == dict(verb=int(row['verb_class']), noun=int(row['noun_class']))


@pytest.mark.parametrize('by_time', [False, True])
def test_real_segments_are_where_the_timestamps_say(by_time):
    # At most one frame off; published numbers read as mp4 frames would be 187 s off at worst.
    from_0 = 0 if by_time else 1  # published numbers are floor(rate * time), ours one lower
    dataset = real_validation(**(dict(video_info='EPIC_100_video_info.csv') if by_time else {}))
    info = {row['video_id']: row for row in real_rows('EPIC_100_video_info.csv')}
    rates = {video: float(row['fps']) if by_time else 60.0 for video, row in info.items()}
    for row, record in zip(real_rows('EPIC_100_validation.csv'), records_of(dataset), strict=True):
        rate = rates[row['video_id']]
        start, stop = seconds(row['start_timestamp']), seconds(row['stop_timestamp'])
        assert record['start_frame'] + from_0 == pytest.approx(start * rate - 0.5, abs=1.51)
        assert record['stop_frame'] + from_0 == pytest.approx(stop * rate - 0.5, abs=1.51)
        assert record['total_frames'] == pytest.approx((stop - start) * rate, abs=2.01)
        if by_time:
            num_frames = round(float(info[row['video_id']]['duration']) * rate)
            assert record['stop_frame'] <= num_frames


def test_real_holdout_split():
    train, holdout = (real_validation(split=split) for split in ('train', 'holdout'))
    assert len(train) + len(holdout) == 9668
    assert len(holdout) / 9668 == pytest.approx(0.1, abs=0.01)
