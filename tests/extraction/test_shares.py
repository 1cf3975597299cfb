"""Shares of torchrun, srun and Slurm arrays: together they are all videos, and none twice."""

import pytest

from mmdistill.extraction.shares import default_workers, local_share, my_share

VIDEOS = list(range(23))


def slurm_array(number: int, first: int, count: int, step: int = 1) -> dict[str, str]:
    names = dict(ID=number, MIN=first, COUNT=count, STEP=step, MAX=first + step * (count - 1))
    return {f'SLURM_ARRAY_TASK_{name}': str(value) for name, value in names.items()}


ALONE = [{}]
TORCHRUN = [dict(RANK=str(rank), WORLD_SIZE='3') for rank in range(3)]
SRUN = [dict(SLURM_PROCID=str(rank), SLURM_NTASKS='4') for rank in range(4)]
ARRAY = [slurm_array(number, 0, 5) for number in range(5)]
STEPPED = [slurm_array(number, 3, 3, step=4) for number in (3, 7, 11)]
ARRAY_OF_SRUN = [a | b for a in ARRAY for b in SRUN]
TORCHRUN_IN_SRUN = [one | SRUN[0] for one in TORCHRUN]


@pytest.mark.parametrize(
    'processes',
    [ALONE, TORCHRUN, SRUN, ARRAY, STEPPED, ARRAY_OF_SRUN, TORCHRUN_IN_SRUN],
    ids=['alone', 'torchrun', 'srun', 'array', 'stepped', 'array of srun', 'torchrun in srun'],
)
def test_shares_are_all_videos_once(processes):
    shares = [my_share(env) for env in processes]
    taken = [video for share in shares for video in VIDEOS[share.index :: share.count]]
    assert sorted(taken) == VIDEOS
    sizes = [len(VIDEOS[share.index :: share.count]) for share in shares]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ('env', 'message'),
    [
        (dict(RANK='3', WORLD_SIZE='3'), r'RANK=3 does not fit WORLD_SIZE=3: expected 0 to 2'),
        (dict(RANK='1'), 'Set both'),
        (slurm_array(7, 2, 2), 'without a gap'),  # --array=2,7
        (slurm_array(4, 3, 3, step=4), 'without a gap'),
    ],
)
def test_numbers_that_do_not_fit(env, message):
    with pytest.raises(ValueError, match=message):
        my_share(env)


def test_places_on_this_machine():
    assert local_share({}) == (0, 1)
    assert local_share(dict(LOCAL_RANK='2', LOCAL_WORLD_SIZE='4')) == (2, 4)
    assert local_share(dict(SLURM_LOCALID='1', SLURM_TASKS_PER_NODE='2(x3),1')) == (1, 2)


def test_workers_share_the_cores():
    alone = default_workers({})
    assert default_workers(dict(LOCAL_RANK='0', LOCAL_WORLD_SIZE='2')) == max(1, alone // 2)
    assert default_workers(dict(SLURM_CPUS_PER_TASK='6')) == 6
