"""summarize_labels: what a data set knows of its labels, for the checks before a run."""

import pytest

from mmdistill.datasets import MultimodalDataset


@pytest.fixture
def build(tmp_path):
    def dataset(rows=('v1,0,8,0,1', 'v1,8,20,1,0', 'v2,5,6,1,1'), **kwargs) -> MultimodalDataset:
        lines = ['video_id,start_frame,stop_frame,verb,noun', *rows]
        (tmp_path / 'ann.csv').write_text('\n'.join(lines) + '\n')
        return MultimodalDataset(str(tmp_path / 'ann.csv'), **kwargs)

    return dataset


def test_labels_are_summarized(build):
    labels = build(['v1,0,8,3,1', 'v1,8,20,1,', 'v2,5,6,,'], labelled='some').label_summary
    assert labels.ranges == dict(verb=(1, 3, 'v1_0_8'), noun=(1, 1, 'v1_0_8'))
    assert labels.unlabelled == 'v1_8_20' and build().label_summary.unlabelled is None
    assert build(labelled=False).label_summary == ({}, 'v1_0_8')


def test_a_task_without_any_label_is_there(build):
    labels = build(['v1,0,8,2,', 'v2,0,8,0,'], labelled='some').label_summary
    assert labels.ranges == dict(verb=(0, 2, 'v1_0_8'), noun=None)


def test_a_holdout_without_labelled_clips(build):
    rows = [f'v{i},0,1,,' for i in range(4)]
    message = r"ann\.csv, split='holdout': none of its 1 clips has all labels.*ratio or seed"
    with pytest.raises(ValueError, match=message):
        build(rows, split='holdout', holdout=dict(ratio=0.25), labelled='some')


@pytest.mark.parametrize('serialize_data', [True, False])
@pytest.mark.parametrize('indices', [0, [], [0, 3]])
def test_indices_that_choose_nothing(build, indices, serialize_data):
    with pytest.raises(ValueError, match=r'ann\.csv: indices=.* chooses no clip, or one beyond'):
        build(indices=indices, serialize_data=serialize_data)
    assert [len(build(indices=x)) for x in (2, -1, 9, [0, -3])] == [2, 1, 3, 2]
