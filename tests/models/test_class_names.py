"""Class numbers mean the same to the data and to every expert, as far as they are named."""

import pytest
import torch

from mmdistill.models.class_names import check_class_names, class_names_of
from mmdistill.registry import MODELS

VERBS = ['take', 'put', 'open', 'close']
NOUNS = ['a', 'b', 'c', 'd', 'e']


def test_names_of_our_data_sets_and_of_upstreams():
    assert class_names_of(dict(classes=dict(verb=VERBS))) == dict(verb=VERBS)
    assert class_names_of(dict(classes=('run', 'walk'))) == dict(action=['run', 'walk'])
    assert class_names_of({}) == class_names_of(None) == {}


def test_agreement_and_silence_are_fine():
    check_class_names({'the data set': dict(verb=VERBS), "expert 'a'": {}, 'b': dict(verb=VERBS)})
    check_class_names({'the data set': dict(noun=NOUNS), "expert 'a'": dict(verb=VERBS)})


def test_another_order_is_an_error_that_names_the_first_difference():
    other = ['take', 'open', 'put', 'close']
    message = "expert 'a' and the data set.*'verb'.*class 1 is 'open' for expert 'a', 'put' for"
    with pytest.raises(ValueError, match=message):
        check_class_names({'the data set': dict(verb=VERBS), "expert 'a'": dict(verb=other)})


def test_a_missing_name_is_a_difference():
    with pytest.raises(ValueError, match="class 3 is none for expert 'a', 'close' for"):
        check_class_names({'the data set': dict(verb=VERBS), "expert 'a'": dict(verb=VERBS[:3])})


@pytest.fixture
def expert(tmp_path, recognizer_config):
    def save(name, classes):
        model = MODELS.build(recognizer_config())
        meta = dict(dataset_meta=dict(classes=classes))
        torch.save(dict(state_dict=model.state_dict(), meta=meta), tmp_path / f'{name}.pth')
        return dict(model=recognizer_config(), checkpoint=str(tmp_path / f'{name}.pth'))

    return save


def test_a_teacher_compares_its_experts(expert):
    experts = dict(
        rgb=expert('rgb', dict(verb=VERBS, noun=NOUNS)), flow=expert('flow', dict(verb=VERBS[::-1]))
    )
    config = dict(
        type='mmdistill.MultimodalTeacher',
        experts=experts,
        weighting=dict(type='mmdistill.UniformWeighting'),
    )
    with pytest.raises(ValueError, match="class 0 is 'close' for expert 'flow', 'take' for"):
        MODELS.build(config)
    experts['flow'] = expert('flow', dict(verb=VERBS))
    teacher = MODELS.build(config)
    assert teacher.class_names["expert 'rgb'"] == dict(verb=VERBS, noun=NOUNS)
