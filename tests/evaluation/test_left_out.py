"""Whatever a report lacks is named, with what gives it."""

from dataclasses import replace
from pathlib import Path

from mmdistill.evaluation.left_out import left_out
from mmdistill.evaluation.report_config import (
    CostSettings,
    Heading,
    ModelFiles,
    ReportConfig,
    ReportModel,
    ViewsDump,
)

MODEL = ReportModel('a', 'A', 'student', ModelFiles(Path('test')), 'a.py')
CONFIG = ReportConfig(
    heading=Heading('x'),
    models=(MODEL,),
    cost=CostSettings(),
    detector=None,
    clips=True,
    setting={},
    stages=None,
    out=Path('out'),
)
PICTURES = {'curves': [1], 'clips': [1], 'unseen': []}


def found(config=CONFIG, pictures=PICTURES, baseline='A', weights=None, **row):
    facts = {'role': 'student', 'reads': ['rgb'], 'num_groups': 2, 'cost': {}}
    rows = [{'name': 'a', 'title': 'A', **facts, **row}]
    report = {'rows': rows, 'baseline': baseline, 'differences': [1]}
    parts = left_out(report | {'teacher_weights': weights or {'x': 1}}, config, pictures)
    return {part['section']: part['how'] for part in parts}


def test_a_command_makes_what_is_missing():
    parts = found()
    assert set(parts) == {
        'Temperature scaling of A',
        'Views',
        'Throughput',
        'Accuracy over cost',
    }
    assert '`mmdistill test a.py CHECKPOINT --holdout' in parts['Temperature scaling of A']
    assert 'num_clips=5' in parts['Views']


def test_nothing_is_missing_where_everything_is_given():
    files = ModelFiles(Path('test'), 'holdout.npz', ViewsDump('views.npz', 5))
    model = replace(MODEL, files=files)
    config = replace(CONFIG, models=(model,), cost=CostSettings(25, (1, 8)))
    assert set(found(config)) == {'Accuracy over cost'}


def test_one_video_no_baseline_no_log_and_no_cost_are_told():
    parts = found(replace(CONFIG, cost=None), baseline=None, num_groups=1)
    assert {'Differences', 'Intervals', 'Cost'} <= set(parts)
    bare = found(pictures={**PICTURES, 'curves': [], 'clips': []})
    assert {'Training curves', 'Sample clips'} <= set(bare)
    assert 'Pictures of audio' in found(pictures={**PICTURES, 'unseen': ['audio']})
    off = found(replace(CONFIG, clips=False), {**PICTURES, 'clips': []})
    assert 'clips=False' in off['Sample clips']


def test_a_model_of_several_modalities_is_asked_for_its_subsets():
    section = 'When modalities are missing'
    assert 'missing=FOLDER' in found(reads=['rgb', 'flow'])[section]
    assert section not in found(replace(CONFIG, missing=Path('here')), reads=['rgb', 'flow'])
    assert section not in found(reads=['rgb', 'flow'], role='teacher')
