"""The holdout split: by group, deterministic, of about the size asked for."""

import random
import subprocess
import sys

import pytest

from mmdistill.datasets import MultimodalDataset
from mmdistill.datasets.holdout import holdout_groups


def clips_of_videos(num_videos: int, seed: int) -> list[str]:
    """Group of every clip, videos of 1 to 60 clips."""
    rng = random.Random(seed)
    return [f'P{i:02d}_{i}' for i in range(num_videos) for _ in range(rng.randint(1, 60))]


def test_row_order_and_random_state_do_not_matter():
    groups = clips_of_videos(100, seed=1)
    shuffled = random.Random(5).sample(groups, len(groups))
    random.seed(3)
    assert holdout_groups(groups, 0.2, seed=4) == holdout_groups(shuffled, 0.2, seed=4)


def test_another_process_with_another_hash_seed_agrees():
    # set and str order depend on PYTHONHASHSEED; a split that differs between the training of an
    # expert and that of the student would leak the holdout.
    code = (
        'from mmdistill.datasets.holdout import holdout_groups\n'
        'print(sorted(holdout_groups([f"v{i % 30}" for i in range(300)], 0.2)))'
    )
    outputs = {
        subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', _without_package_imports(code)],
            env={'PYTHONHASHSEED': hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ('1', '2')
    }
    assert outputs == {f'{sorted(holdout_groups([f"v{i % 30}" for i in range(300)], 0.2))}\n'}


def _without_package_imports(code: str) -> str:
    """Run holdout.py by path: importing the package (torch, mmaction) takes seconds."""
    path = sys.modules[holdout_groups.__module__].__file__
    return code.replace(
        'from mmdistill.datasets.holdout import holdout_groups',
        f'import runpy; holdout_groups = runpy.run_path({path!r})["holdout_groups"]',
    )


def test_known_choice_stays():
    # A change of the algorithm changes which clips the published experts have seen.
    groups = [f'P01_{i:02d}' for i in range(20) for _ in range(10)]
    assert holdout_groups(groups, 0.1, seed=0) == {'P01_02', 'P01_04'}


@pytest.mark.parametrize('ratio', [0.05, 0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize('seed', range(5))
def test_ratio_counts_clips(ratio, seed):
    groups = clips_of_videos(200, seed=seed)
    chosen = holdout_groups(groups, ratio, seed)
    assert sum(group in chosen for group in groups) / len(groups) == pytest.approx(ratio, abs=0.005)


def test_seed_changes_the_choice():
    groups = clips_of_videos(100, seed=1)
    choices = {frozenset(holdout_groups(groups, 0.1, seed)) for seed in range(10)}
    assert len(choices) == 10


def test_every_video_can_be_chosen():
    # 400 draws of 10 %: a video that is never drawn has chance 0.9 ** 400, about 5e-19.
    groups = [f'v{i}' for i in range(20) for _ in range(5)]
    chosen = set().union(*(holdout_groups(groups, 0.1, seed) for seed in range(400)))
    assert chosen == set(groups)


def test_large_groups_give_the_smallest_rather_than_nothing():
    groups = ['a'] * 50 + ['b'] * 20 + ['c'] * 30
    assert all(holdout_groups(groups, 0.05, seed) == {'b'} for seed in range(5))


@pytest.mark.parametrize('ratio', [0.5, 0.9, 0.999])
def test_a_group_always_stays_for_training(ratio):
    assert len(holdout_groups(['a'] * 3 + ['b'], ratio)) == 1


@pytest.mark.parametrize('ratio', [-0.1, 0, 1, 1.5, float('nan')])
def test_impossible_ratio(ratio):
    with pytest.raises(ValueError, match=r'between 0 and 1'):
        holdout_groups(['a', 'b'], ratio)


@pytest.mark.parametrize('groups', [[], ['only'] * 4])
def test_too_few_groups_are_an_empty_holdout(groups):
    with pytest.raises(ValueError, match=f'holdout would be empty.*{len(groups)} clips'):
        holdout_groups(groups)


ROWS = """video_id,start_frame,stop_frame,action,person,split,kitchen
a,0,9,0,ann,train,k1
a,9,18,1,ann,holdout,k1
b,0,9,0,bob,train,k1
c,0,9,1,bob,train,k2
d,0,9,1,cat,holdout,k2
"""


@pytest.fixture
def clips(tmp_path):
    (tmp_path / 'a.csv').write_text(ROWS)

    def read(split, **arguments):
        data = MultimodalDataset('a.csv', data_root=str(tmp_path), split=split, **arguments)
        return [data.load_record(i) for i in range(len(data))]

    return read


def test_a_column_says_which_clips_are_held_out(clips):
    holdout = dict(column='split')
    ids = [record['sample_id'] for record in clips('holdout', holdout=holdout)]
    assert ids == ['a_9_18', 'd_0_9']
    assert len(clips('train', holdout=holdout)) == 3


def test_groups_of_the_holdout_and_of_the_bootstrap_are_columns_of_their_own(clips):
    holdout = dict(by='person', ratio=0.4, seed=0)
    found = {s: clips(s, holdout=holdout, group='kitchen') for s in ('train', 'holdout')}
    people = {
        split: {{'a': 'ann', 'b': 'bob', 'c': 'bob', 'd': 'cat'}[r['video_id']] for r in records}
        for split, records in found.items()
    }
    assert people['holdout'] and not people['train'] & people['holdout']
    assert {r['group'] for records in found.values() for r in records} == {'k1', 'k2'}


@pytest.mark.parametrize(
    ('holdout', 'message'),
    [
        (dict(column='fold'), "holdout names the column 'fold', but there are only"),
        (dict(column='person'), r"'person' holds \['ann', 'bob', 'cat'\]; the clips of the"),
        (dict(column='split', ratio=0.1), 'nothing is left to choose'),
        (dict(share=0.1), r"Unknown keys \['share'\] in holdout"),
    ],
)
def test_bad_columns(clips, holdout, message):
    with pytest.raises(ValueError, match=message):
        clips('holdout', holdout=holdout)


def test_a_column_of_groups_must_be_there(clips):
    with pytest.raises(ValueError, match='room'):
        clips(None, group='room')


def test_clips_without_a_medium_are_left_out_where_that_is_asked_for(clips, tmp_path):
    (tmp_path / 'flow').mkdir()
    for video in 'ab':
        (tmp_path / 'flow' / video).mkdir()
    given = dict(media=dict(flow='flow/{video_id}'), check_media=False)
    assert len(clips(None, **given)) == 5
    kept = clips(None, **given, filter_cfg=dict(media=['flow']))
    assert [record['video_id'] for record in kept] == ['a', 'a', 'b']
    with pytest.raises(ValueError, match=r"asks for the media \['sound'\], .* only \['flow'\]"):
        clips(None, **given, filter_cfg=dict(media=['sound']))
    with pytest.raises(ValueError, match=r"No clip of .*a\.csv has all of \['flow'\]"):
        clips(None, media=dict(flow='no/{video_id}'), check_media=False,
              filter_cfg=dict(media=['flow']))  # fmt: skip
