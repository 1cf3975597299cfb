"""One classifier per task: the same numbers as stock heads run one by one."""

import pytest
import torch
from mmaction.structures import ActionDataSample

from mmdistill.labels import set_task_labels
from mmdistill.registry import MODELS

TASKS = ('verb', 'noun')


@pytest.fixture
def recognizer(recognizer_config):
    model = MODELS.build(recognizer_config(dropout_ratio=0.0))
    model.init_weights()
    return model


def test_losses_are_those_of_stock_heads(recognizer, make_batch):
    head = recognizer.cls_head
    feats = torch.randn(3, 32, 2, 2, 2)
    samples = make_batch(3)['data_samples']
    losses = head.loss(feats, samples)
    assert set(losses) == {
        f'{task}/{name}' for task in TASKS for name in ('loss_cls', 'top1_acc', 'top5_acc')
    }
    for task in TASKS:
        labels = torch.cat([sample.gt_labels.get(task) for sample in samples])
        logits = head.heads[task](feats)
        expected = torch.nn.functional.cross_entropy(logits, labels)
        assert losses[f'{task}/loss_cls'].item() == pytest.approx(expected.item(), rel=1e-6)


def test_every_task_is_judged_by_its_own_head(recognizer_config, make_batch):
    cfg = recognizer_config(dropout_ratio=0.0)['cls_head']
    weights = dict(verb=[1.0, 3.0, 0.5, 2.0], noun=[0.1, 4.0, 1.0, 2.0, 5.0])
    for task, found in weights.items():
        cfg['heads'][task]['loss_cls'] = dict(type='CrossEntropyLoss', class_weight=found)
    cfg['heads']['noun']['topk'] = (1, 2)
    head = MODELS.build(cfg)
    feats, samples = torch.randn(3, 32, 2, 2, 2), make_batch(3)['data_samples']
    losses = head.loss(feats, samples)
    assert {name for name in losses if 'top' in name} == {
        *('verb/top1_acc', 'verb/top5_acc', 'noun/top1_acc', 'noun/top2_acc')
    }
    for task in TASKS:
        labels = torch.cat([sample.gt_labels.get(task) for sample in samples])
        expected = torch.nn.functional.cross_entropy(
            head.heads[task](feats), labels, torch.tensor(weights[task]), reduction='none'
        )
        rows = torch.tensor(weights[task])[labels]
        assert losses[f'{task}/loss_cls'].item() == pytest.approx(
            (expected.sum() / rows.sum()).item(), rel=1e-5
        )


@pytest.mark.parametrize('average_clips', ['score', 'prob', None])
def test_predictions_reduce_views_as_asked(average_clips, recognizer_config, make_batch):
    cfg = recognizer_config(dropout_ratio=0.0)
    cfg['cls_head']['average_clips'] = average_clips
    model = MODELS.build(cfg).eval()
    batch = make_batch(2, num_views=3, modalities=('rgb',))
    data = model.data_preprocessor(
        dict(inputs=batch['inputs']['rgb'], data_samples=batch['data_samples']), False
    )
    with torch.no_grad():
        feats, _ = model.extract_feat(data['inputs'], test_mode=True)
        per_view = {t: x.reshape(2, 3, -1) for t, x in model.cls_head(feats).items()}
        predictions = model.predict(**data)
    for i, sample in enumerate(predictions):
        for task, logits_VK in ((t, x[i]) for t, x in per_view.items()):
            expected = {
                'score': logits_VK.mean(0),
                'prob': logits_VK.softmax(-1).mean(0),
                None: logits_VK,
            }[average_clips]
            assert torch.allclose(sample.pred_score[task], expected, atol=1e-6)
            assert torch.equal(sample.pred_label[task], expected.argmax(-1))


def test_labels_of_other_tasks_are_an_error(recognizer):
    sample = ActionDataSample(metainfo=dict(sample_id='P01_01_7'))
    set_task_labels(sample, dict(verb=1))
    with pytest.raises(KeyError, match='P01_01_7'):
        recognizer.cls_head.loss(torch.randn(1, 32, 1, 1, 1), [sample])


def test_a_head_that_averages_on_its_own_is_an_error():
    head = dict(type='I3DHead', in_channels=8, num_classes=2, average_clips='prob')
    with pytest.raises(ValueError, match='average_clips'):
        MODELS.build(dict(type='mmdistill.MultitaskHead', heads=dict(verb=head)))
    with pytest.raises(ValueError, match='no heads'):
        MODELS.build(dict(type='mmdistill.MultitaskHead', heads={}))


def partly_labelled():
    samples = [ActionDataSample(metainfo=dict(sample_id=f'clip{i}')) for i in range(4)]
    for i, label in ((0, dict(verb=1, noun=2)), (2, dict(verb=3, noun=None))):
        set_task_labels(samples[i], label)
    return samples


def test_unlabelled_clips_are_left_out_per_task(recognizer):
    head = recognizer.cls_head
    head.allow_unlabelled = True
    feats = torch.randn(4, 32, 2, 2, 2)
    losses = head.loss(feats, partly_labelled())
    logits = head(feats)
    for task, rows, labels in (('verb', [0, 2], [1, 3]), ('noun', [0], [2])):
        expected = torch.nn.functional.cross_entropy(logits[task][rows], torch.tensor(labels))
        assert losses[f'{task}/loss_cls'].item() == pytest.approx(expected.item(), rel=1e-6)


def test_no_labels_at_all_are_no_loss_and_no_accuracy(recognizer):
    head = recognizer.cls_head
    head.allow_unlabelled = True
    losses = head.loss(torch.randn(2, 32, 2, 2, 2), partly_labelled()[1::2])
    assert {name: value.item() for name, value in losses.items()} == {
        'verb/loss_cls': 0,
        'noun/loss_cls': 0,
    }
    sum(losses.values()).backward()
    assert all((p.grad == 0).all() for p in head.parameters())


def test_by_itself_a_recognizer_needs_every_label(recognizer):
    feats = torch.randn(4, 32, 2, 2, 2)
    with pytest.raises(KeyError, match="'clip1' has no label for 'verb'"):
        recognizer.cls_head.loss(feats, partly_labelled())
    with pytest.raises(KeyError, match="'clip2' has no label for 'noun'"):
        recognizer.cls_head.loss(feats[:1], partly_labelled()[2:3])
