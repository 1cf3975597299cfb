"""The report of the demo's data and networks, from the command line; costs; what is left out."""

import json

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmdistill.config_tools import load_config
from mmdistill.metrics import ScoreTable, save_scores, table_metrics
from mmdistill.registry import DATASETS

CONFIG = """
data_root = {data!r}
models = dict(
    plain=dict(title='RGB', role='baseline', test='{here}/rgb'),
    student=dict(role='student', test='{here}/student', config='projects/demo/configs/student.py'),
    boxes=dict(role='expert', test='{here}/obj'),
)
cost = dict(repeats=1, batch_sizes=(2,))
"""


@pytest.fixture(scope='module')
def tool(load_tool):
    return load_tool('analysis/report.py')


@pytest.fixture(scope='module')
def config(tiny_data, tmp_path_factory):
    """Answers at random to the clips of the tiny data set, as tests write them."""
    here = tmp_path_factory.mktemp('tests')
    cfg = load_config('projects/demo/configs/rgb.py', dict(data_root=f'{tiny_data}/'))
    init_default_scope('mmaction')
    dataset = DATASETS.build({**cfg.test_dataloader.dataset, 'pipeline': []})
    records = [dataset.load_record(i) for i in range(len(dataset))]
    ids, groups = (np.array([r[k] for r in records]) for k in ('sample_id', 'group'))
    labels = {t: np.array([r['label'][t] for r in records]) for t in ('verb', 'noun')}
    for seed, name in enumerate(('rgb', 'student', 'obj')):
        rng = np.random.default_rng(seed)
        scores = {t: rng.normal(size=(len(records), 1, 8)).astype('f4') for t in labels}
        table = ScoreTable(ids, groups, scores, labels, {})
        save_scores(here / name / 'scores.npz', table)
        content = dict(metrics=table_metrics(table), num_samples=len(ids))
        content['config'] = f'projects/demo/configs/{name}.py'
        (here / name / 'metrics.json').write_text(json.dumps(content))
    (here / 'mine.py').write_text(CONFIG.format(data=f'{tiny_data}/', here=here))
    return here / 'mine.py'


def test_a_config_becomes_a_page_and_tables(tool, config, tmp_path, capsys):
    tool.main([str(config), '--out', str(tmp_path), '--resamples', '20'])
    printed = capsys.readouterr().out
    assert 'left out: Cost of boxes: these models read boxes: give detector=' in printed
    assert 'left out: Temperature scaling of RGB: give holdout=' in printed
    report = json.loads((tmp_path / 'report.json').read_text())
    plain, student, boxes = report['rows']
    assert plain['params'] == student['params'] > 0 and 'params' not in boxes
    assert plain['flops'] == student['flops'] and plain['p95_ms'] > 0 and plain['peak_bytes'] > 0
    assert plain['cost']['throughput'].keys() == {'2'} and boxes['reads'] == ['obj']
    page = (tmp_path / 'report.html').read_text()
    # Frames as the models' pipelines read them, and boxes on them.
    assert page.count('alt="rgb of') == page.count('alt="obj of') >= 1
    assert '| RGB |' in (tmp_path / 'report.md').read_text()
    assert r'\begin{tabular}' in (tmp_path / 'report.tex').read_text()


def test_mistakes_end_with_one_line(tool, config, tiny_data, tmp_path):
    with pytest.raises(SystemExit, match='error: .* has no models'):
        tool.main([str(config), '--cfg-options', 'models={}'])
    with pytest.raises(SystemExit, match='error: There is no config'):
        tool.main([str(tmp_path / 'no.py')])
    # Annotations of another split than the one that was tested.
    train = tiny_data / 'annotations/EPIC_100_train.csv'
    option = f'cfg_options.test_dataloader.dataset.ann_file={train}'
    arguments = [str(config), '--out', str(tmp_path), '--resamples', '2']
    with pytest.raises(SystemExit, match='has no clip .*: give the config and the data_root'):
        tool.main([*arguments, '--cfg-options', 'cost=False', option])
