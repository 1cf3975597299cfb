"""The file of a published model: what goes in comes out, and nothing else is let in."""

import json
import pickle
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from mmdistill.deploy import read_published, write_published
from mmdistill.deploy.described import description_of
from mmdistill.deploy.published import weights_digest


def test_what_goes_in_comes_out(published, tmp_path):
    described, weights = read_published(published)
    again = write_published(tmp_path / 'again.safetensors', described, weights)
    assert again == described
    found, same = read_published(tmp_path / 'again.safetensors')
    assert found == described and same.keys() == weights.keys()
    assert all(torch.equal(same[name], weights[name]) for name in weights)
    # JSON has no tuples, and some networks ask.
    assert described.recognizer['backbone']['conv1_kernel'] == (3, 5, 5)


def test_the_digest_sees_names_types_shapes_and_values():
    base = dict(a=torch.arange(6.0), b=torch.zeros(()))
    others = [
        dict(a=torch.arange(6.0), c=torch.zeros(())),
        dict(a=torch.arange(6.0).reshape(2, 3), b=torch.zeros(())),
        dict(a=torch.arange(6.0).double(), b=torch.zeros(())),
        dict(a=torch.arange(6.0), b=torch.ones(())),
    ]
    digests = {weights_digest(weights) for weights in (base, *others)}
    assert len(digests) == 5
    assert weights_digest(dict(reversed(base.items()))) == weights_digest(base)


def spoil(path, target, change=lambda content: content, weights=lambda w: w):
    """Write the model again with another description."""
    described, tensors = read_published(path)
    content = change(json.loads(description_of(described)))
    text = content if isinstance(content, str) else json.dumps(content)
    save_file(weights(tensors), target, metadata=dict(mmdistill=text))
    return target


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c: 'no JSON', 'a description that cannot be read'),
        (lambda c: [c], 'a description that cannot be read'),
        (lambda c: '[' * 100_000, 'a description that cannot be read'),
        (lambda c: c | dict(format=2), 'of format 2, but this mmdistill reads format 1'),
        (
            lambda c: {k: v for k, v in c.items() if k != 'clip'},
            r"incomplete.* \(\['clip",
        ),
        (lambda c: c | dict(more=1), r"incomplete description \(\['more"),
        (lambda c: c | dict(recognizer=3), 'incomplete description'),
        (lambda c: c | dict(recognizer=dict(type='os.system')), "the type 'os.system'.*refused"),
        (
            lambda c: c | dict(clip=dict(sample=dict(type='mmdistill.x.y'))),
            "the type 'mmdistill.x.y'.*refused",
        ),
        (lambda c: c | dict(recognizer=dict(type=['a'])), 'refused'),
        (lambda c: c | dict(recognizer=dict(a=[dict(pretrained='http://x')])), 'fetch weights'),
    ],
)
def test_a_wrong_description_is_refused(published, tmp_path, change, message):
    path = spoil(published, tmp_path / 'wrong.safetensors', change)
    with pytest.raises(ValueError, match=message):
        read_published(path)


def test_another_weight_is_damage(published, tmp_path):
    def changed(weights):
        name = next(iter(weights))
        return weights | {name: weights[name] + 1}

    path = spoil(published, tmp_path / 'changed.safetensors', weights=changed)
    with pytest.raises(ValueError, match='damaged: the weights do not fit their checksum'):
        read_published(path)


def test_what_is_no_published_model_is_refused(published, tmp_path):
    with pytest.raises(FileNotFoundError, match='There is no model'):
        read_published(tmp_path / 'gone.safetensors')

    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / 'executed'), 'w'))

    hostile = tmp_path / 'hostile.safetensors'
    hostile.write_bytes(pickle.dumps(Hostile()))
    cut = tmp_path / 'cut.safetensors'
    cut.write_bytes(published.read_bytes()[:-100])
    for path in (hostile, cut):
        with pytest.raises(ValueError, match='no safetensors file, or damaged'):
            read_published(path)
    assert not (tmp_path / 'executed').exists()
    bare = tmp_path / 'bare.safetensors'
    save_file(load_file(published), bare)
    with pytest.raises(ValueError, match='weights without a description'):
        read_published(bare)


def test_what_could_not_be_read_again_is_not_written(published, tmp_path):
    described, weights = read_published(published)
    with pytest.raises(ValueError, match="names the type 'my.own.Net'"):
        write_published(
            tmp_path / 'x', replace(described, recognizer=dict(type='my.own.Net')), weights
        )
    assert list(tmp_path.iterdir()) == []


def test_a_config_that_json_lacks_is_an_error(published, tmp_path):
    described, weights = read_published(published)
    with pytest.raises(TypeError, match='cannot be published'):
        write_published(
            tmp_path / 'x', replace(described, recognizer=dict(type='A', of=torch)), weights
        )
    assert list(tmp_path.iterdir()) == []
