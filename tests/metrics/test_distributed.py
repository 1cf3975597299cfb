"""Two gloo processes give the metrics of one, whatever padding the sampler adds."""

import json

import numpy as np
import pytest
import torch
import torch.distributed
import torch.multiprocessing
from mmengine.dataset import DefaultSampler
from mmengine.evaluator import Evaluator

from mmdistill.metrics import Calibration, DumpScores, TaskAccuracy

SIZES = (1, 2, 7, 8)


def samples(size):
    rng = np.random.default_rng(size)
    for i in range(size):
        yield dict(
            sample_id=f's{i}',
            unseen=bool(i % 2),
            tail_verb=bool(i % 3),
            tail_noun=not i % 4,
            gt_labels={t: torch.tensor([int(rng.integers(3))]) for t in ('verb', 'noun')},
            pred_score={t: torch.from_numpy(rng.normal(size=(2, 3))) for t in ('verb', 'noun')},
        )


def evaluate(size, folder, name):
    """The metrics, and how many samples each diagram counts (nothing beside the main process)."""
    data = list(samples(size))
    resamples = dict(num_resamples=20 if size > 1 else 0)
    metrics = [
        TaskAccuracy(scores='logits', collect_dir=f'{folder}/accuracy', **resamples),
        Calibration(scores='logits', collect_dir=f'{folder}/calibration', **resamples),
        DumpScores(out=f'{folder}/{name}_{size}.npz', collect_dir=f'{folder}/dump'),
    ]
    evaluator = Evaluator(metrics)
    for i in DefaultSampler(data, shuffle=False):
        evaluator.process([data[i]])
    found = evaluator.evaluate(size)
    bins = metrics[1].reliability.items()
    return found, {task: int(diagram.count_B.sum()) for task, diagram in bins}


def run_rank(rank, folder):
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/rendezvous', rank=rank, world_size=2
    )
    results = {size: evaluate(size, folder, 'two') for size in SIZES}
    with open(f'{folder}/rank{rank}.json', 'w') as file:
        json.dump(results, file)
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_agree_with_one(tmp_path):
    torch.multiprocessing.spawn(run_rank, args=(str(tmp_path),), nprocs=2)
    for size in SIZES:
        expected, counts = evaluate(size, tmp_path, 'one')
        assert counts == dict.fromkeys(('verb', 'noun', 'action'), size)
        for rank in range(2):
            found, drawn = json.loads((tmp_path / f'rank{rank}.json').read_text())[str(size)]
            # Sums of probabilities are added up in another order.
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)
            assert drawn == ({} if rank else counts)
        one, two = (np.load(tmp_path / f'{name}_{size}.npz') for name in ('one', 'two'))
        assert one.files == two.files
        assert all(np.array_equal(one[name], two[name]) for name in one.files)
