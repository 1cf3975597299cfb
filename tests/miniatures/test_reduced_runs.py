"""Every config in configs/unimodal and configs/distill is trained and tested on a miniature."""

import math

import pytest
from reduced import DISTILL, FUSION, ROOT, UNIMODAL, is_teacher, run_reduced

FAST = ('stlt_sthelse_obj', 'audioresnet_ek100_audio', 'tsm-mobilenetv2_sthv2_rgbflowobj')


@pytest.mark.parametrize(
    'path',
    [
        pytest.param(path, marks=() if path.stem in FAST else pytest.mark.slow)
        for path in [*UNIMODAL, *FUSION, *DISTILL]
    ],
    ids=lambda path: path.stem,
)
def test_a_reduced_run(path, miniatures, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    # A runner describes the machine and makes the config pretty, which takes longer than the run.
    monkeypatch.setattr('mmengine.config.config.FormatCode', lambda text, **_: (text, True))
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
    iterations, metrics = run_reduced(path.relative_to(ROOT), miniatures, tmp_path / path.stem)
    tasks = ('verb', 'noun', 'action') if '_ek100_' in path.stem else ('action',)
    assert iterations == (0 if is_teacher(path) else 2)
    for task in tasks:
        assert 0 <= metrics[f'acc/{task}/top1'] <= metrics[f'acc/{task}/top5'] <= 1
        assert math.isfinite(metrics[f'calibration/{task}/nll'])
    assert ('acc/tail_both/action/top1' in metrics) == ('_ek100_' in path.stem)
