"""Temperatures in checkpoints, and models that use them only when asked."""

import json

import pytest
import torch
from mmaction.registry import MODELS as MMACTION_MODELS
from mmengine.runner import load_checkpoint

from mmdistill.models.temperature import publish, read_temperatures, use_temperatures
from mmdistill.registry import MODELS

FOUND = dict(verb=2.0, noun=0.5)


def scores(model, batch):
    samples = model.eval().test_step(batch)
    return {t: torch.stack([s.pred_score[t] for s in samples]) for t in FOUND}


def rgb_batch(make_batch):
    batch = make_batch(modalities=('rgb',))
    return {**batch, 'inputs': batch['inputs']['rgb']}


def test_a_published_checkpoint_loads_strictly_and_scales_nothing_by_itself(
    tmp_path, recognizer_config, make_batch
):
    model = MODELS.build(recognizer_config())
    source, target = tmp_path / 'epoch_1.pth', tmp_path / 'published.pth'
    training = dict(optimizer=dict(lr=1), message_hub={})
    torch.save(dict(state_dict=model.state_dict(), meta=dict(epoch=1), **training), source)
    publish(str(source), target, FOUND)

    checkpoint = torch.load(target)
    assert set(checkpoint) == {'state_dict', 'meta'}
    assert checkpoint['meta'] == dict(epoch=1, temperatures=FOUND)
    assert read_temperatures(target) == FOUND
    again = MODELS.build(recognizer_config())
    load_checkpoint(again, str(target), strict=True)
    batch = rgb_batch(make_batch)
    for task, before in scores(model, batch).items():
        assert torch.equal(scores(again, batch)[task], before)
    with pytest.raises(FileExistsError, match='there already'):
        publish(str(source), target, FOUND)


def test_a_recognizer_and_a_student_divide_their_logits(recognizer_config, make_batch):
    batch = rgb_batch(make_batch)
    model = MODELS.build(recognizer_config())
    student = MODELS.build(
        dict(type='mmdistill.StudentRecognizer', recognizer=recognizer_config(), losses={})
    )
    student.load_state_dict(model.state_dict())
    before = scores(model, batch)
    for answering in (model, student):
        use_temperatures(answering, FOUND)
        found = scores(answering, batch)
        for task, temperature in FOUND.items():
            torch.testing.assert_close(found[task], before[task] / temperature)


def test_what_is_trained_is_not_scaled(recognizer_config, make_batch):
    batch = rgb_batch(make_batch)
    model = MODELS.build(recognizer_config(dropout_ratio=0.0))
    losses = []
    for _ in range(2):
        data = model.data_preprocessor(batch, True)
        losses.append(model.train().loss(data['inputs'], data['data_samples']))
        use_temperatures(model, FOUND)
    assert torch.equal(losses[0]['verb/loss_cls'], losses[1]['verb/loss_cls'])


def test_a_single_label_and_probabilities_of_views(recognizer_config, make_batch):
    config = recognizer_config(5)
    config['cls_head']['average_clips'] = 'prob'
    model = MMACTION_MODELS.build(config).eval()
    batch = make_batch(modalities=('rgb',), num_views=2, classes=5)
    batch = {**batch, 'inputs': batch['inputs']['rgb']}
    model.cls_head.average_clips = None
    logits = torch.stack([s.pred_score for s in model.test_step(batch)])
    model.cls_head.average_clips = 'prob'
    use_temperatures(model, dict(action=3.0))
    found = torch.stack([s.pred_score for s in model.test_step(batch)])
    torch.testing.assert_close(found, (logits / 3).softmax(-1).mean(1))


def test_a_teacher_scales_what_it_predicts_not_what_it_teaches(recognizer_config, make_batch):
    expert = dict(model=recognizer_config(), checkpoint=None)
    teacher = MODELS.build(
        dict(
            type='mmdistill.MultimodalTeacher',
            experts=dict(rgb=expert, flow=expert),
            weighting=dict(type='mmdistill.UniformWeighting'),
        )
    )
    batch = make_batch()
    before, taught = scores(teacher, batch), teacher.teach(batch).logits
    use_temperatures(teacher, FOUND)
    found = scores(teacher, batch)
    for task, temperature in FOUND.items():
        torch.testing.assert_close(found[task], before[task] / temperature)
        assert torch.equal(teacher.teach(batch).logits[task], taught[task])


def test_temperatures_of_other_tasks_and_files_without_any_are_refused(tmp_path, recognizer_config):
    model = MODELS.build(recognizer_config())
    with pytest.raises(ValueError, match=r"answers \['noun', 'verb'\]"):
        use_temperatures(model, dict(action=1.0))
    with pytest.raises(ValueError, match='positive'):
        use_temperatures(model, dict(verb=1.0, noun=-1.0))
    (tmp_path / 'metrics.json').write_text(json.dumps({'metrics': {}}))
    torch.save(dict(state_dict={}, meta={}), tmp_path / 'plain.pth')
    for name in ('metrics.json', 'plain.pth'):
        with pytest.raises(ValueError, match='holds no temperatures'):
            read_temperatures(tmp_path / name)
    with pytest.raises(FileNotFoundError, match='no file of temperatures'):
        read_temperatures(tmp_path / 'nothing.pth')
    torch.save(model.state_dict(), tmp_path / 'weights.pth')
    with pytest.raises(ValueError, match='with a state_dict'):
        publish(str(tmp_path / 'weights.pth'), tmp_path / 'new.pth', FOUND)
