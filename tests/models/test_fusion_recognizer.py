"""A fusion model as a recognizer, a student and an expert."""

import warnings

import pytest
import torch
from mmengine.model import ExponentialMovingAverage

from mmdistill.models.fusion_recognizer import PRESENT
from mmdistill.registry import MODELS

CLASSES = dict(verb=4, noun=5)
HEAD = dict(type='I3DHead', in_channels=16, spatial_type=None, dropout_ratio=0.0)


def fusion_config(recognizer_config, frozen=(), names=('rgb', 'flow'), fusion=None, **head):
    return dict(
        type='mmdistill.FusionRecognizer',
        extractors={n: dict(model=recognizer_config(), frozen=n in frozen) for n in names},
        fusion=dict(in_channels=dict.fromkeys(names, 32), embed_dims=16, num_tokens=2, dropout=0.0)
        | (fusion or {}),
        cls_head=dict(
            type='mmdistill.FusionHead',
            embed_dims=16,
            dropout=0.0,
            heads={task: dict(HEAD, num_classes=k) for task, k in CLASSES.items()},
            **head,
        ),
    )


@pytest.fixture
def model(recognizer_config):
    built = MODELS.build(fusion_config(recognizer_config))
    built.init_weights()
    return built


def lacking(batch, *missing):
    """Mark what each clip lacks, and put zeros there."""
    for i, (sample, gone) in enumerate(zip(batch['data_samples'], missing, strict=True)):
        sample.set_metainfo(dict(available={key: key not in gone for key in batch['inputs']}))
        for key in gone:
            batch['inputs'][key][i] = torch.zeros_like(batch['inputs'][key][i])
    return batch


def predict(model, batch):
    model.eval()
    with torch.no_grad():
        samples = model(**model.data_preprocessor(batch, False), mode='predict')
    return {task: torch.stack([s.pred_score[task] for s in samples]) for task in CLASSES}


def test_it_trains_by_itself_and_every_weight_learns(model, make_batch):
    batch = lacking(make_batch(), (), ('flow',), ('rgb',))
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    assert {'verb/loss_cls', 'noun/loss_cls', 'verb/top1_acc'} <= losses.keys()
    (losses['verb/loss_cls'] + losses['noun/loss_cls']).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


def test_a_clip_is_predicted_alike_whatever_stands_in_its_missing_modality(model, make_batch):
    batch = lacking(make_batch(), (), ('flow',), ('rgb',))
    before = predict(model, batch)
    batch['inputs']['flow'][1] = torch.full_like(batch['inputs']['flow'][1], 77)
    after = predict(model, batch)
    for task in CLASSES:
        torch.testing.assert_close(before[task], after[task])
    batch['inputs']['rgb'][1] = torch.full_like(batch['inputs']['rgb'][1], 77)
    assert not torch.equal(predict(model, batch)['verb'][1], before['verb'][1])


def test_batches_and_views_do_not_mix_clips(model, make_batch):
    batch = lacking(make_batch(num_views=2), (), ('flow',), ('rgb',))
    together = predict(model, batch)
    for i in range(3):
        inputs = {key: [clips[i]] for key, clips in batch['inputs'].items()}
        alone = predict(model, dict(inputs=inputs, data_samples=[batch['data_samples'][i]]))
        for task in CLASSES:
            torch.testing.assert_close(alone[task][0], together[task][i], atol=1e-5, rtol=1e-4)


def test_frozen_extractors_never_change(recognizer_config, make_batch):
    model = MODELS.build(fusion_config(recognizer_config, frozen=('rgb', 'flow')))
    model.init_weights()
    before = {key: value.clone() for key, value in model.backbone.state_dict().items()}
    model.train()
    assert not any(
        module.training for module in model.backbone.modules() if module is not model.backbone
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5)
    losses = model(**model.data_preprocessor(make_batch(), True), mode='loss')
    (losses['verb/loss_cls'] + losses['noun/loss_cls']).backward()
    optimizer.step()
    for key, value in model.backbone.state_dict().items():
        assert torch.equal(value, before[key]), key
    assert all(p.grad is not None for p in model.fusion.parameters())


def test_a_student_of_several_modalities(recognizer_config, make_batch, teach):
    config = fusion_config(recognizer_config)
    student = MODELS.build(
        dict(
            type='mmdistill.StudentRecognizer',
            recognizer=config,
            losses=dict(kd=dict(type='mmdistill.SoftTargetLoss', loss_weight=0.5)),
            label_weight=0.5,
            modality=dict(rgb='frames', flow='flow'),
        )
    )
    batch = make_batch(modalities=('frames', 'flow', 'obj'))
    lacking(batch, (), ('flow',), ('frames',))
    teach(batch, CLASSES)
    data = student.data_preprocessor(batch, True)
    # Under the student's own names: its first modality is the batch's `frames`.
    assert data['inputs'][PRESENT].tolist() == [[True, True], [True, False], [False, True]]
    student(**data, mode='loss')['verb/loss_kd'].backward()
    stock = MODELS.build(config)
    stock.load_state_dict(student.state_dict(), strict=True)
    for task, scores in predict(student, batch).items():
        renamed = dict(inputs=dict(rgb=batch['inputs']['frames'], flow=batch['inputs']['flow']))
        for sample in batch['data_samples']:
            there = sample.metainfo['available']
            sample.set_metainfo(dict(available=dict(there, rgb=there['frames'])))
        own = predict(stock, dict(renamed, data_samples=batch['data_samples']))
        torch.testing.assert_close(scores, own[task])


def test_an_expert_of_several_modalities_answers_while_it_has_one(recognizer_config, make_batch):
    both = dict(rgb='rgb', flow='flow')
    fused = dict(model=fusion_config(recognizer_config), checkpoint=None, modality=both)
    obj = dict(model=recognizer_config(), checkpoint=None, modality='obj')
    teacher = MODELS.build(
        dict(
            type='mmdistill.MultimodalTeacher',
            experts=dict(fused=fused, obj=obj),
            weighting=dict(type='mmdistill.UniformWeighting'),
        )
    )
    batch = lacking(
        make_batch(num_clips=4, modalities=('rgb', 'flow', 'obj')),
        (),
        ('flow', 'obj'),
        ('rgb', 'flow'),
        ('rgb', 'flow', 'obj'),
    )
    output = teacher.teach(batch)
    assert output.taught == (True, True, True, False)
    assert output.weights['verb'][:3].tolist() == [[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]]
    alone = teacher.experts['fused'].recognizer
    own = predict(
        alone,
        dict(
            inputs={k: batch['inputs'][k][:2] for k in both}, data_samples=batch['data_samples'][:2]
        ),
    )
    torch.testing.assert_close(output.expert_logits['verb'][:2, 0], own['verb'])


def test_a_subset_that_was_never_trained_on_is_named_once(model, make_batch):
    full = lacking(make_batch(), (), (), ())
    model.train()
    model(**model.data_preprocessor(full, True), mode='loss')
    assert model.seen.tolist() == [False, False, False, True]
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        predict(model, full)
    part = lacking(make_batch(), (), ('flow',), ('flow',))
    with pytest.warns(UserWarning, match='never trained on clips with rgb alone') as found:
        predict(model, part)
        predict(model, part)
    assert len([w for w in found if 'never trained' in str(w.message)]) == 1


def test_an_average_of_weights_keeps_it(model):
    averaged = ExponentialMovingAverage(model)
    averaged.update_parameters(model)
    assert averaged.module.state_dict().keys() == model.state_dict().keys()


def test_bad_batches_name_the_clip(model, make_batch):
    batch = lacking(make_batch(), (), ('rgb', 'flow'), ())
    with pytest.raises(ValueError, match=r"'clip1' has none of the modalities \['rgb', 'flow'\]"):
        model.data_preprocessor(batch, False)
    with pytest.raises(KeyError, match=r"the batch has \['rgb'\]; add \['flow'\] to `inputs`"):
        model.data_preprocessor(make_batch(modalities=('rgb',)), False)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(fusion=dict(in_channels=dict(flow=32, rgb=32))), 'in the same order'),
        (dict(streams='some'), "streams is 'some'; expected one of"),
        (dict(mlp_dims=8), 'expects 16 channels, but the MLP gives 8'),
    ],
)
def test_bad_configs(recognizer_config, change, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(fusion_config(recognizer_config, **change))


def test_extractors_with_another_width_than_the_config_says(recognizer_config, make_batch):
    config = fusion_config(recognizer_config, fusion=dict(in_channels=dict(rgb=32, flow=48)))
    model = MODELS.build(config)
    with pytest.raises(ValueError, match=r"'flow' gives 2 tokens of width 32.*48: set"):
        model(**model.data_preprocessor(make_batch(), True), mode='loss')
