"""Which share of the videos this process has: alone, under torchrun, srun, or in a Slurm array."""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple


class Share(NamedTuple):
    """Every `count`-th video from number `index` on."""

    index: int
    count: int


def my_share(env: Mapping[str, str] = os.environ) -> Share:
    """The share that the launcher's variables say; all videos where there are none.

    The jobs of a Slurm array are counted first (SLURM_ARRAY_TASK_…), then the processes of one:
    RANK and WORLD_SIZE, as torchrun sets them, before SLURM_PROCID and SLURM_NTASKS.

    Raises:
        ValueError: The numbers do not fit each other, so that shares would overlap or lack.
    """
    rank = _pair(env, 'RANK', 'WORLD_SIZE') or _pair(env, 'SLURM_PROCID', 'SLURM_NTASKS')
    inner, array = rank or Share(0, 1), _array_share(env)
    return Share(array.index * inner.count + inner.index, array.count * inner.count)


def local_share(env: Mapping[str, str] = os.environ) -> Share:
    """The number of this process among those of the launcher on this machine."""
    if 'LOCAL_RANK' in env:
        return Share(int(env['LOCAL_RANK']), int(env.get('LOCAL_WORLD_SIZE', 1)))
    # Such as 2(x3),1: tasks on each machine.
    on_first = re.match(r'\d+', env.get('SLURM_TASKS_PER_NODE', ''))
    count = int(on_first.group()) if on_first else int(env.get('LOCAL_WORLD_SIZE', 1))
    return Share(int(env.get('SLURM_LOCALID', 0)), count)


def default_workers(env: Mapping[str, str] = os.environ) -> int:
    """The cores that this process may use: Slurm's word, or its part of the machine's."""
    if 'SLURM_CPUS_PER_TASK' in env:
        return max(1, int(env['SLURM_CPUS_PER_TASK']))
    return max(1, len(os.sched_getaffinity(0)) // local_share(env).count)


def _pair(env: Mapping[str, str], index_name: str, count_name: str) -> Share | None:
    if index_name not in env and count_name not in env:
        return None
    share = Share(int(env.get(index_name, 0)), int(env.get(count_name, 1)))
    if not 0 <= share.index < share.count:
        raise ValueError(
            f'{index_name}={share.index} does not fit {count_name}={share.count}: expected 0 to '
            f'{share.count - 1}. Set both, or neither.'
        )
    return share


def _array_share(env: Mapping[str, str]) -> Share:
    if 'SLURM_ARRAY_TASK_ID' not in env:
        return Share(0, 1)
    number, first, step, count = (
        int(env.get(f'SLURM_ARRAY_TASK_{name}', default))
        for name, default in (('ID', 0), ('MIN', 0), ('STEP', 1), ('COUNT', 1))
    )
    index, rest = divmod(number - first, step)
    if rest or not 0 <= index < count:
        raise ValueError(
            f'Job {number} of a Slurm array of {count} that begins at {first} in steps of {step}: '
            'expected numbers without a gap, such as --array=0-15.'
        )
    return Share(index, count)
