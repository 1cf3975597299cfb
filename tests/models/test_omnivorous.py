"""One network, several modalities in turn: which is read, and that it is the stock recognizer."""

import pytest
import torch
from mmengine.logging import MessageHub

from mmdistill.registry import MODELS

FLOW = dict(type='ActionDataPreprocessor', mean=[0.0] * 3, std=[255.0] * 3, format_shape='NCTHW')


@pytest.fixture
def model(recognizer_config):
    built = MODELS.build(
        dict(
            type='mmdistill.OmnivorousRecognizer',
            recognizer=recognizer_config(dropout_ratio=0.0),
            modalities=dict(rgb=None, flow=FLOW),
        )
    )
    built.init_weights()
    return built


def at_iteration(number):
    MessageHub.get_current_instance().update_info('iter', number)


def test_batches_are_of_each_modality_in_turn(model, make_batch):
    batch = make_batch()
    rgb = (torch.stack(batch['inputs']['rgb']).float() - 128) / 64
    flow = torch.stack(batch['inputs']['flow']).float() / 255
    for number, expected in ((0, rgb), (1, flow), (2, rgb)):
        at_iteration(number)
        data = model.data_preprocessor(batch, True)
        torch.testing.assert_close(data['inputs'], expected)
        losses = model(**data, mode='loss')
        assert {'verb/loss_cls', 'noun/loss_cls'} <= losses.keys()
    at_iteration(1)
    torch.testing.assert_close(model.data_preprocessor(batch, False)['inputs'], rgb)


def test_clips_without_the_modality_are_left_out_in_training_and_an_error_in_a_test(
    model, make_batch
):
    batch = make_batch()
    batch['data_samples'][1].set_metainfo(dict(available=dict(rgb=True, flow=False)))
    at_iteration(1)
    data = model.data_preprocessor(batch, True)
    assert len(data['inputs']) == len(data['data_samples']) == 2
    assert [s.metainfo['sample_id'] for s in data['data_samples']] == ['clip0', 'clip2']
    batch['data_samples'][1].set_metainfo(dict(available=dict(rgb=False, flow=True)))
    with pytest.raises(ValueError, match="'clip1' has no 'rgb', which is to be read"):
        model.data_preprocessor(batch, False)
    with pytest.raises(KeyError, match=r"turn of 'flow', but the batch has only \['rgb'\]"):
        model.data_preprocessor(make_batch(modalities=('rgb',)), True)


def test_a_checkpoint_is_that_of_the_stock_recognizer(model, recognizer_config, make_batch):
    stock = MODELS.build(recognizer_config(dropout_ratio=0.0))
    stock.load_state_dict(model.state_dict(), strict=True)
    model.load_state_dict(stock.state_dict(), strict=True)
    batch = make_batch(modalities=('rgb',))
    batch['inputs'] = batch['inputs']['rgb']
    model.eval()
    stock.eval()
    with torch.no_grad():
        ours, theirs = (
            m(**m.data_preprocessor(batch, False), mode='predict') for m in (model, stock)
        )
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a.pred_score['verb'], b.pred_score['verb'])


def test_it_is_tested_on_what_it_reads(recognizer_config):
    with pytest.raises(ValueError, match=r"tested on 'rgb', but is trained on \['flow'\]"):
        MODELS.build(
            dict(
                type='mmdistill.OmnivorousRecognizer',
                recognizer=recognizer_config(),
                modalities=dict(flow=None),
            )
        )
