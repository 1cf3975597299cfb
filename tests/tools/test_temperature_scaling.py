"""Fitting on a dump of the holdout, showing on a test, publishing; and what is refused."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from mmdistill.commands.test import parse_args as parse_test
from mmdistill.metrics import ScoreTable, fit_temperature, save_scores


def table(prefix, num=300, scale=4.0, seed=0):
    """Logits that are too sharp by `scale`: labels are drawn from the softmax of the unscaled."""
    rng = np.random.default_rng(seed)
    logits, labels = {}, {}
    for task, classes in (('verb', 4), ('noun', 6)):
        plain = 2 * rng.normal(size=(num, classes))
        labels[task] = (plain + rng.gumbel(size=plain.shape)).argmax(1)
        logits[task] = (scale * plain[:, None]).astype(np.float32)
    ids = np.array([f'{prefix}{i}' for i in range(num)])
    groups = np.array([f'{prefix}{i // 10}' for i in range(num)])
    return ScoreTable(ids, groups, logits, labels, {})


@pytest.fixture
def tool(load_tool):
    return load_tool('analysis/temperature_scaling.py')


@pytest.fixture
def dumps(tmp_path):
    for seed, name in enumerate(('holdout', 'test')):
        save_scores(tmp_path / f'{name}.npz', table(name, seed=seed))
    return ['--holdout', str(tmp_path / 'holdout.npz'), '--test', str(tmp_path / 'test.npz')]


def test_a_model_that_is_too_sure_is_mended(tool, dumps, tmp_path, capsys):
    checkpoint = tmp_path / 'best.pth'
    torch.save(dict(state_dict={'w': torch.ones(2)}, meta=dict(epoch=3), optimizer={}), checkpoint)
    out, published = tmp_path / 'temperatures.json', tmp_path / 'published.pth'
    files = ['--out', str(out), '--publish', str(published), '--resamples', '50']
    tool.main(['config.py', str(checkpoint), *dumps, *files])

    result = json.loads(out.read_text())
    holdout = table('holdout')
    for task in ('verb', 'noun'):
        expected = fit_temperature(holdout.mean_scores(task), holdout.labels[task])
        assert result['temperatures'][task] == expected
        assert expected == pytest.approx(4, rel=0.15)
    before, after = result['test']['before'], result['test']['after']
    for task in ('verb', 'noun', 'action'):
        for error in ('ece', 'nll', 'brier'):
            key = f'calibration/{task}/{error}'
            assert after['metrics'][key] < before['metrics'][key]
            low, high = after['intervals'][key]
            assert low < high
    # Far too sharp is far too sharp: the intervals are apart.
    nll = 'calibration/action/nll'
    assert after['intervals'][nll][1] < before['intervals'][nll][0]
    meta = torch.load(published)['meta']
    assert meta == dict(epoch=3, temperatures=result['temperatures'])
    printed = capsys.readouterr().out
    assert 'test: 300 clips of 30 videos' in printed and '| action | – |' in printed


def test_rescore_uses_them_and_gives_intervals_when_asked(tool, dumps, load_tool, tmp_path, capsys):
    out = tmp_path / 'temperatures.json'
    tool.main([*dumps, '--out', str(out), '--resamples', '0'])
    capsys.readouterr()
    rescore = load_tool('analysis/rescore.py')
    rescore.main([dumps[-1], '--temperatures', str(out), '--intervals', '50'])
    metrics = json.loads(capsys.readouterr().out)
    after = json.loads(out.read_text())['test']['after']
    assert after['intervals'] == {}
    for name, value in after['metrics'].items():
        assert metrics[name] == pytest.approx(value)
    ece = 'calibration/action/ece'
    assert metrics[f'{ece}/low'] < metrics[ece] < metrics[f'{ece}/high']


def test_clips_of_the_test_are_no_holdout(tool, dumps):
    with pytest.raises(SystemExit, match='300 clips are in the holdout and in the test'):
        tool.main([*dumps[:2], '--test', dumps[1]])


def test_a_temperature_at_its_limit_is_told(tool, tmp_path, capsys):
    sure = table('holdout')
    labels = {task: x[:, 0].argmax(1) for task, x in sure.scores.items()}
    path = tmp_path / 'sure.npz'
    save_scores(path, ScoreTable(sure.sample_ids, sure.groups, sure.scores, labels, {}))
    tool.main(['--holdout', str(path), '--resamples', '0'])
    assert "temperature of 'verb' is at the limit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            lambda t: t.scores['verb'].__setitem__((7, 0, 1), np.nan),
            "1 samples, the first is 'holdout7'",
        ),
        (lambda t: t.labels['noun'].__setitem__(5, 6), "sample 'holdout5' the noun label 6"),
        (lambda t: t.labels.clear(), r'labels for \[\]'),
    ],
)
def test_bad_dumps_are_named(tool, tmp_path, change, message):
    bad = table('holdout')
    change(bad)
    save_scores(tmp_path / 'bad.npz', bad)
    with pytest.raises(SystemExit, match=message):
        tool.main(['--holdout', str(tmp_path / 'bad.npz')])


def test_an_empty_split_and_missing_arguments_are_refused(tool, tmp_path, capsys):
    save_scores(tmp_path / 'empty.npz', table('holdout', num=0))
    with pytest.raises(SystemExit, match='is empty: test on a split'):
        tool.main(['--holdout', str(tmp_path / 'empty.npz')])
    for arguments in ([], ['--holdout', 'x.npz', '--publish', 'y.pth']):
        with pytest.raises(SystemExit):
            tool.main(arguments)
    assert 'give CONFIG and CHECKPOINT' in capsys.readouterr().err


def test_a_config_is_run_on_its_holdout(tool, tmp_path, monkeypatch):
    """The command that runs it is one that the console command understands."""
    checkpoint = tmp_path / 'best.pth'
    torch.save(dict(state_dict={'w': torch.ones(2)}, meta={}), checkpoint)
    started = []

    def run(command, check):
        started.append(command)
        save_scores(command[command.index('--dump') + 1], table('holdout'))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(tool.subprocess, 'run', run)
    tool.main(['config.py', str(checkpoint), '--resamples', '9', '--cfg-options', 'a=1'])
    [command] = started
    assert command[:4] == [sys.executable, '-m', 'mmdistill', 'test']
    args = parse_test(command[4:])
    assert (args.config, args.checkpoint, args.holdout) == ('config.py', str(checkpoint), True)
