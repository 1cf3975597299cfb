"""mmdistill missing-modalities: one pass gives what a test per subset gives; tables from dumps."""

import json

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from mmdistill.commands.missing_modalities import main, named_folders
from mmdistill.config_tools import load_config
from mmdistill.metrics import ScoreTable, load_scores, save_scores
from mmdistill.metrics.missing import subset_name, subset_probabilities, subsets_of
from mmdistill.registry import MODELS

CONFIG = 'projects/demo/configs/karmma.py'
NAMES = ('rgb', 'flow', 'obj')


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    torch.manual_seed(1)
    init_default_scope('mmaction')  # a fixture of a module comes before that of every test
    student = MODELS.build(load_config(CONFIG).model)
    student.init_weights()
    path = tmp_path_factory.mktemp('karmma') / 'best_1.pth'
    torch.save(dict(state_dict=student.state_dict()), path)
    return path


def options(tiny_data):
    return ['--cfg-options', f'data_root={tiny_data}/']


def test_one_pass_gives_what_a_test_of_each_subset_gives(
    tiny_data, checkpoint, tmp_path, load_tool, capsys
):
    out = tmp_path / 'subsets'
    main(['test', CONFIG, str(checkpoint), '--out', str(out), *options(tiny_data)])
    assert 'Wrote 7 dumps' in capsys.readouterr().out
    for subset in (('flow',), ('rgb', 'obj'), NAMES):
        listed = ','.join(f"'{name}'" for name in subset)
        alone = tmp_path / f'{subset_name(subset)}.npz'
        given = [
            *options(tiny_data),
            f'test_dataloader.dataset.pipeline.load.available=[{listed}]',
        ]
        load_tool('test.py').main(
            [
                CONFIG,
                str(checkpoint),
                '--dump',
                str(alone),
                '--work-dir',
                str(tmp_path / 'w'),
                *given,
            ]
        )
        ours, theirs = load_scores(out / alone.name), load_scores(alone)
        assert (ours.sample_ids == theirs.sample_ids).all()
        for task in ('verb', 'noun'):
            np.testing.assert_allclose(ours.scores[task], theirs.scores[task], atol=1e-4)


def write_subsets(folder, accuracy, seed, num_clips=60):
    """Dumps of a model that is right with a chosen probability, by the size of the subset."""
    rng = np.random.default_rng(seed)
    labels = {'verb': np.arange(num_clips) % 4, 'noun': np.arange(num_clips) % 3}
    hits = {}
    for subset in subsets_of(NAMES):
        hits[subset] = rng.random(num_clips) < accuracy[len(subset) - 1]
        scores = {}
        for task, classes in (('verb', 4), ('noun', 3)):
            answer = np.where(hits[subset], labels[task], (labels[task] + 1) % classes)
            scores[task] = 5 * np.eye(classes, dtype=np.float32)[answer][:, None]
        table = ScoreTable(
            np.array([f'c{i}' for i in range(num_clips)]),
            np.array([f'v{i // 6}' for i in range(num_clips)]),
            scores,
            labels,
            {},
        )
        folder.mkdir(parents=True, exist_ok=True)
        save_scores(folder / f'{subset_name(subset)}.npz', table)
    return hits


def test_tables_are_the_mixtures_of_the_dumps(tmp_path, capsys):
    hits = [write_subsets(tmp_path / f'karmma{s}', (0.5, 0.7, 0.9), s) for s in (0, 1)]
    write_subsets(tmp_path / 'plain', (0.2, 0.4, 0.9), 5)
    line = tmp_path / 'plain/rgb.npz'
    out = tmp_path / 'tables'
    main(
        [
            *(
                'compare',
                f'plain={tmp_path}/plain',
                f'karmma={tmp_path}/karmma0,{tmp_path}/karmma1',
            ),
            *('--line', f'RGB={line}', '--out', str(out), '--resamples', '200'),
        ]
    )
    found = json.loads((out / 'missing.json').read_text())
    assert found['modalities'] == list(NAMES) and found['num_groups'] == 10
    verb = found['tasks']['verb']
    assert [row['subset'] for row in verb['subsets']] == [subset_name(s) for s in subsets_of(NAMES)]
    for row, subset in zip(verb['subsets'], subsets_of(NAMES), strict=True):
        ours = row['models']['karmma']
        assert ours['top1'] == pytest.approx([h[subset].mean() for h in hits])
        assert ours['interval'][0] <= ours['difference'] <= ours['interval'][1]
        assert 'interval' not in row['models']['plain']
    [half] = [row for row in verb['drops'] if (row['dropped'], row['rate']) == ('all', 0.5)]
    chances = subset_probabilities(dict.fromkeys(NAMES, 0.5))
    expected = [sum(p * h[s].mean() for s, p in chances.items()) for h in hits]
    assert half['models']['karmma']['top1'] == pytest.approx(expected)
    [flow] = [row for row in verb['drops'] if (row['dropped'], row['rate']) == ('flow', 0.3)]
    expected = [0.7 * h[NAMES].mean() + 0.3 * h['rgb', 'obj'].mean() for h in hits]
    assert flow['models']['karmma']['top1'] == pytest.approx(expected)
    text = (out / 'missing.md').read_text()
    assert 'RGB, which loses nothing' in text and 'karmma - plain' in text
    for task in ('verb', 'noun', 'action'):
        assert (out / f'missing_{task}.svg').read_text().startswith('<svg')


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda here: (here / 'a/rgb+obj.npz').unlink(), r'no dump .*a/rgb\+obj.npz'),
        (
            lambda here: [p.unlink() for p in (here / 'b').glob('*.npz')],
            r'b holds no dumps of subsets: write them with `mmdistill missing-modalities test',
        ),
        (
            lambda here: [
                p.rename(p.with_stem(p.stem.replace('obj', 'audio')))
                for p in (here / 'b').glob('*.npz')
            ],
            'compare models of the same modalities',
        ),
    ],
)
def test_bad_folders_are_one_line(tmp_path, spoil, message):
    for name in 'ab':
        write_subsets(tmp_path / name, (0.5, 0.5, 0.5), 0, 12)
    spoil(tmp_path)
    with pytest.raises(SystemExit, match=f'^error: .*{message}') as caught:
        main(['compare', f'x={tmp_path}/a', f'y={tmp_path}/b', '--out', str(tmp_path / 'out')])
    assert '\n' not in str(caught.value)


def test_two_models_of_one_name_are_refused(tmp_path):
    assert named_folders(['x/a,y/b', 'c=z']) == dict(a=['x/a', 'y/b'], c=['z'])
    with pytest.raises(ValueError, match="Two models are called 'a'"):
        named_folders(['x/a', 'a=y/b'])


def test_a_model_of_one_modality_is_refused(tiny_data, demo_experts, tmp_path):
    config = 'projects/demo/configs/rgb.py'
    checkpoint = demo_experts / 'rgb/best_untrained.pth'
    with pytest.raises(SystemExit, match='a Recognizer3D, which reads one modality'):
        main(['test', config, str(checkpoint), '--out', str(tmp_path / 'o'), *options(tiny_data)])
