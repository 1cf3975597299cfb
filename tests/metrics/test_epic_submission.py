"""The challenge's file: what is in it, against scores worked out otherwise, and what is refused."""

import json
import math
import zipfile

import numpy as np
import pytest

from mmdistill.metrics import ScoreTable
from mmdistill.metrics.epic_submission import check_submission, write_submission

LEVELS = dict(sls_pt=1, sls_tl=3, sls_td=4)
NAMES = ['P01_11_0', 'P01_11_1', 'P02_101_0']


def table(verbs=97, nouns=300, views=2):
    rng = np.random.default_rng(0)
    scores = {
        task: rng.normal(size=(3, views, k)).astype(np.float32)
        for task, k in (('verb', verbs), ('noun', nouns))
    }
    return ScoreTable(np.array(NAMES), np.array(['P01', 'P01', 'P02']), scores, {}, {})


@pytest.fixture
def path(tmp_path):
    write_submission(tmp_path / 'new/out.zip', table(), LEVELS)
    return tmp_path / 'new/out.zip'


def content_of(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ['test.json']
        return json.loads(archive.read('test.json'))


def pack(path, content, name='test.json'):
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr(name, content if isinstance(content, str) else json.dumps(content))
    return path


def test_header_and_narrations(path):
    content = content_of(path)
    assert list(content.pop('results')) == NAMES
    assert content == dict(version='0.2', challenge='action_recognition', **LEVELS)
    assert check_submission(path, NAMES) == 3
    assert [p.name for p in path.parent.iterdir()] == ['out.zip']


def test_scores_are_the_mean_logits_of_the_views(path):
    results = content_of(path)['results']
    for row, name in enumerate(NAMES):
        for task, scores in table().scores.items():
            found = results[name][task]
            assert list(found) == [str(k) for k in range(scores.shape[-1])]
            mean = scores[row].astype(np.float64).mean(axis=0)
            np.testing.assert_allclose(list(found.values()), mean, rtol=1e-8)


def test_actions_are_the_hundred_most_probable_pairs(path):
    results = content_of(path)['results']
    means = {t: x.astype(np.float64).mean(axis=1) for t, x in table().scores.items()}
    probs = {t: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) for t, x in means.items()}
    for row, name in enumerate(NAMES):
        joint = np.outer(probs['verb'][row], probs['noun'][row])
        order = np.argsort(-joint.ravel())[:100]
        found = results[name]['action']
        assert list(found) == [f'{i // 300},{i % 300}' for i in order]
        np.testing.assert_allclose(list(found.values()), joint.ravel()[order], rtol=1e-8)


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (dict(verbs=96), r"'verb': 96.*needs.*'verb': 97"),
        (dict(nouns=305), "'noun': 305"),
    ],
)
def test_a_dump_of_another_data_set(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        write_submission(tmp_path / 'out.zip', table(**wrong), LEVELS)
    assert not list(tmp_path.iterdir())


def test_a_level_out_of_range(tmp_path):
    with pytest.raises(ValueError, match='sls_td is 6'):
        write_submission(tmp_path / 'out.zip', table(), dict(LEVELS, sls_td=6))


def drop_noun(content):
    del content['results']['P01_11_1']['noun']['7']


def drop_action(content):
    content['results']['P01_11_1']['action'].popitem()


def name_no_action(content):
    action = content['results']['P01_11_1']['action']
    action['97,1'] = action.popitem()[1]


def set_nan(content):
    content['results']['P01_11_0']['verb']['3'] = math.nan


def set_text(content):
    content['results']['P01_11_0']['verb']['3'] = '0.5'


def drop_results(content):
    del content['results']


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c: c.update(version='0.1'), "version is '0.1', expected '0.2'"),
        (lambda c: c.update(challenge='action_detection'), "challenge is 'action_detection'"),
        (lambda c: c.pop('sls_pt'), 'sls_pt is None'),
        (lambda c: c.update(sls_tl=True), 'sls_tl is True'),
        (drop_results, 'no results'),
        (lambda c: c['results'].pop('P01_11_0'), "1 narrations are missing, such as 'P01_11_0'"),
        (lambda c: c['results'].update(X=c['results']['P01_11_0']), "are unknown, such as 'X'"),
        (drop_noun, "'P01_11_1': expected noun classes 0 to 299, got 299"),
        (drop_action, 'expected 100 actions, got 99'),
        (name_no_action, "the action '97,1' is none"),
        (set_nan, "score of verb '3' is nan"),
        (set_text, "score of verb '3' is '0.5'"),
        (lambda c: c['results']['P01_11_0'].pop('action'), 'verb, noun and action'),
    ],
)
def test_what_the_server_would_refuse(path, tmp_path, change, message):
    content = content_of(path)
    change(content)
    with pytest.raises(ValueError, match=message):
        check_submission(pack(tmp_path / 'changed.zip', content), NAMES)


def test_files_of_another_kind(tmp_path):
    (tmp_path / 'text.zip').write_text('no')
    with pytest.raises(ValueError, match='not a zip file'):
        check_submission(tmp_path / 'text.zip')
    with pytest.raises(ValueError, match=r"holds \['other.json'\]; expected test.json"):
        check_submission(pack(tmp_path / 'a.zip', {}, 'other.json'))
    with pytest.raises(ValueError, match="'version' is there twice"):
        check_submission(pack(tmp_path / 'b.zip', '{"version": "0.2", "version": "0.2"}'))
    with pytest.raises(FileNotFoundError, match='gone'):
        check_submission(tmp_path / 'gone.zip')
