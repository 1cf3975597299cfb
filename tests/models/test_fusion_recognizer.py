"""A fusion model as a recognizer, a student and an expert; extractors of every kind of backbone."""

import warnings

import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from mmengine.registry import MODELS as ROOT_MODELS

from mmdistill.models.extractor import Extractor, pooled
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


def test_an_extractor_loads_its_recognizer_when_training_starts(recognizer_config, tmp_path):
    trained = MODELS.build(recognizer_config())
    trained.init_weights()
    torch.save(dict(state_dict=trained.state_dict()), tmp_path / 'best_1.pth')
    pattern = str(tmp_path / 'best_*.pth')
    extractor = Extractor('rgb', 2, model=recognizer_config(), checkpoint=pattern, frozen=True)
    extractor.init_weights()
    loaded = extractor.recognizer.backbone.state_dict()
    for key, value in trained.backbone.state_dict().items():
        assert torch.equal(value, loaded[key]), key
    assert extractor.recognizer.cls_head is None
    assert not any('head' in key for key in extractor.state_dict())
    (tmp_path / 'best_1.pth').unlink()
    # Built without: its weights come with those of the fusion model.
    Extractor('rgb', 2, model=recognizer_config(), checkpoint=pattern, frozen=True)
    with pytest.raises(FileNotFoundError, match="no checkpoint of the extractor of 'rgb'"):
        extractor.init_weights()


def two_dimensional():
    return dict(
        type='Recognizer2D',
        backbone=dict(type='ResNet', depth=18, pretrained=None, norm_eval=False),
        cls_head=dict(type='TSNHead', num_classes=4, in_channels=512),
        data_preprocessor=dict(type='ActionDataPreprocessor', format_shape='NCHW'),
    )


def slow_fast():
    pathway = dict(
        type='resnet3d',
        depth=18,
        pretrained=None,
        lateral=False,
        conv1_kernel=(1, 7, 7),
        dilations=(1, 1, 1, 1),
        conv1_stride_t=1,
        pool1_stride_t=1,
        inflate=(0, 0, 1, 1),
        norm_eval=False,
    )
    return dict(
        type='Recognizer3D',
        backbone=dict(
            type='ResNet3dSlowFast',
            pretrained=None,
            resample_rate=4,
            speed_ratio=4,
            channel_ratio=8,
            slow_pathway=dict(pathway, lateral=True, base_channels=32),
            fast_pathway=dict(pathway, base_channels=4, conv1_kernel=(5, 7, 7)),
        ),
        cls_head=dict(type='SlowFastHead', in_channels=192, num_classes=4),
        data_preprocessor=dict(type='ActionDataPreprocessor', format_shape='NCTHW'),
    )


def layouts():
    head = dict(type='I3DHead', in_channels=8, spatial_type=None, num_classes=4)
    return dict(
        type='Recognizer3D',
        backbone=dict(type='mmdistill.DetectionInputs'),
        data_preprocessor=dict(type='ActionDataPreprocessor'),
        cls_head=dict(
            type='mmdistill.DetectionFeatureHead',
            encoder=dict(num_categories=3, embed_dims=8, num_layers=(1, 1), num_heads=2),
            heads=dict(action=head),
        ),
    )


@pytest.mark.parametrize(
    ('config', 'inputs', 'width'),
    [
        (two_dimensional, (2, 6, 3, 32, 32), 512),
        (slow_fast, (2, 1, 3, 16, 32, 32), 288),
        (layouts, (2, 1, 5, 4, 6), 8),
    ],
)
def test_tokens_of_other_backbones(config, inputs, width):
    extractor = Extractor('x', 3, model=config()).eval()
    assert extractor(torch.rand(inputs)).shape == (2, 3, width)


def test_frames_of_2d_backbones_stay_with_their_clip():
    extractor = Extractor('x', 6, model=two_dimensional()).eval()
    frames = torch.rand(2, 6, 3, 32, 32)
    with torch.no_grad():
        tokens = extractor(frames)
        one = extractor.recognizer.backbone(frames[1, 4][None])
    torch.testing.assert_close(tokens[1, 4], one.mean((2, 3))[0], atol=1e-5, rtol=1e-4)


def test_pooling_keeps_the_order_of_time():
    sequence = torch.arange(12.0).reshape(1, 12, 1)
    assert pooled(sequence, 4).flatten().tolist() == [1, 4, 7, 10]
    assert pooled(sequence, 12) is sequence


def test_extractors_have_one_source(recognizer_config):
    with pytest.raises(ValueError, match='needs either a config or a model'):
        Extractor('x', 3)
    with pytest.raises(ValueError, match=r"has the keys \['checkpiont'\]; it takes"):
        config = fusion_config(recognizer_config)
        config['extractors']['rgb']['checkpiont'] = None
        MODELS.build(config)


def test_it_is_registered():
    assert ROOT_MODELS is not None
    assert 'FusionRecognizer' in MODELS.module_dict
