"""Predicting: the logits of the network, calibrated, by class name, from whatever holds frames."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import log_softmax, softmax

import mmdistill
from mmdistill.deploy import load_model, read_published, write_published
from mmdistill.deploy.clips import ClipReader
from mmdistill.deploy.sources import VideoSource
from mmdistill.deploy.torch_network import TorchNetwork, build_network
from mmdistill.models.logits import recognizer_logits
from mmdistill.video import VideoError

from .conftest import CLASSES, RATE, TEMPERATURES, pictures


def test_it_is_the_network_of_the_file(model, published, video):
    described, weights = read_published(published)
    network = build_network(described, weights, published)
    source = VideoSource(video)
    packed = ClipReader(described.clip).inputs(source.read, 0, 70)
    given = dict(inputs=[torch.from_numpy(packed)], data_samples=None)
    batch = network.data_preprocessor(given)['inputs']
    with torch.no_grad():
        expected = recognizer_logits(network, batch, 1)
    [found] = model.predict(video)
    for task, logits in expected.items():
        np.testing.assert_allclose(found.logits[task], logits[0].numpy(), rtol=1e-5, atol=1e-6)
    assert (found.start, found.stop) == (0, 70 / RATE)


def test_probabilities_are_calibrated_and_the_action_is_joint(model, video):
    [found] = model.predict(str(video))
    scaled = {t: torch.tensor(x).double() / TEMPERATURES[t] for t, x in found.logits.items()}
    for task in ('verb', 'noun'):
        expected = softmax(scaled[task], 0)
        np.testing.assert_allclose(found.probabilities(task), expected.numpy(), rtol=1e-6)
        best = found.top(3)[task]
        assert [s.name for s in best] == [
            CLASSES[task][i] for i in expected.argsort(descending=True)[:3]
        ]
    joint = log_softmax(scaled['verb'], 0)[:, None] + log_softmax(scaled['noun'], 0)
    verb, noun = divmod(int(joint.argmax()), joint.shape[1])
    assert found.label == f'verb {verb} noun {noun}'
    assert found.confidence == pytest.approx(float(joint.max().exp()), rel=1e-5)
    content = json.loads(found.to_json(2))
    assert content['source'] == str(video) and len(content['action']) == 2
    assert found.plot(k=3).axes[0].get_title(loc='left') == 'verb'


def test_paths_folders_patterns_and_arrays(model, video, tmp_path):
    for name in ('a.mp4', 'b [1].mp4', 'c.mp4'):
        (tmp_path / 'more').mkdir(exist_ok=True)
        shutil.copy(video, tmp_path / 'more' / name)
    (tmp_path / 'more/notes.txt').write_text('no video')
    alone = model.predict(video)[0].logits['verb']
    for asked, count in (
        (tmp_path / 'more', 3),
        (tmp_path / 'more/*.mp4', 3),
        ([tmp_path / 'more/b [1].mp4', video], 2),
    ):
        found = model.predict(asked, batch_size=2)
        assert len(found) == count
        for prediction in found:
            np.testing.assert_allclose(prediction.logits['verb'], alone, rtol=1e-4, atol=1e-5)
    frames = pictures(30)
    one, other = model.predict([frames, pictures(9, 96, 128)], frames_per_second=10)
    assert (one.source, one.stop, other.stop) == ('array 0', 3.0, 0.9)
    np.testing.assert_allclose(
        model.predict(frames)[0].logits['noun'], one.logits['noun'], rtol=1e-4
    )


def test_windows_slide_over_a_video(model, video):
    found = list(model.windows(video, window=1.0, stride=0.52, batch_size=3))
    assert [(p.start, p.stop) for p in found] == [
        (0.0, 1.0),
        (0.52, 1.52),
        (1.04, 2.04),
        (1.56, 2.56),
        (1.8, 2.8),
    ]
    [whole] = model.windows(video, window=60, stride=1)
    np.testing.assert_allclose(
        whole.logits['verb'], model.predict(video)[0].logits['verb'], rtol=1e-5
    )


def test_more_views_are_their_mean(model, video):
    [several] = model.predict(video, clips=3)
    [one] = model.predict(video, clips=1)
    assert not np.allclose(several.logits['verb'], one.logits['verb'])
    with pytest.raises(ValueError, match='sees the whole frame'):
        model.predict(video, crops=3)


def test_half_precision_is_near(model, published, video):
    half = load_model(published, 'cpu', 'bf16').predict(video)[0]
    full = model.predict(video)[0]
    np.testing.assert_allclose(half.logits['verb'], full.logits['verb'], atol=0.1)


def test_what_is_refused(model, published, tmp_path):
    with pytest.raises(FileNotFoundError, match="Nothing matches 'gone.mp4'"):
        model.predict('gone.mp4')
    with pytest.raises(FileNotFoundError, match='holds no video'):
        model.predict(tmp_path)
    (tmp_path / 'text.mp4').write_text('no')
    with pytest.raises(VideoError, match='text.mp4'):
        model.predict(tmp_path / 'text.mp4')
    for wrong in (pictures(4).astype(float), pictures(4)[0], pictures(4)[..., :2], pictures(4)[:0]):
        with pytest.raises(ValueError, match='Expected RGB frames'):
            model.predict(wrong)
    with pytest.raises(ValueError, match="precision='fp16'"):
        load_model(published, 'cpu', 'fp16')
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match='sees no GPU'):
            TorchNetwork(model.network.network, 'cuda')


def test_a_part_that_is_not_registered_here(published, tmp_path):
    described, weights = read_published(published)
    recognizer = described.recognizer | dict(type='KitchenRecognizer')
    path = tmp_path / 'other.safetensors'
    write_published(
        path, type(described)(**(vars(described) | dict(recognizer=recognizer))), weights
    )
    with pytest.raises(ValueError, match='cannot be built here: import the package'):
        load_model(path)
    odd = replace(
        described,
        recognizer=described.recognizer
        | dict(backbone=described.recognizer['backbone'] | dict(colour='green')),
    )
    write_published(path, odd, weights)
    with pytest.raises(ValueError, match='cannot be built here: is MMAction2 another'):
        load_model(path)
    narrow = described.recognizer | dict(
        backbone=described.recognizer['backbone'] | dict(base_channels=8)
    )
    write_published(path, type(described)(**(vars(described) | dict(recognizer=narrow))), weights)
    with pytest.raises(ValueError, match='weights do not fit the network'):
        load_model(path)


def test_it_is_at_the_top_of_the_package(published):
    assert mmdistill.load_model is load_model
    with pytest.raises(AttributeError, match='no attribute'):
        mmdistill.load_everything  # noqa: B018
