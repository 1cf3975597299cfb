"""The holdout split: by group, deterministic, of about the size asked for."""

import random
import subprocess
import sys

import pytest

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
