"""Asked one batch ahead, the experts say the same, and the student learns the same."""

import pytest
import torch

from mmdistill.hooks import prefetch
from mmdistill.models import MultimodalTeacher, StudentRecognizer

EPOCHS = dict(type='EpochBasedTrainLoop', max_epochs=1)
ITERATIONS = dict(type='IterBasedTrainLoop', max_iters=4)
# Without it, beginning a pass over the data draws a number from the student's generator.
RNG_STATE = dict(rng_state=dict(type='mmdistill.RngStateHook'))


@pytest.fixture
def order(monkeypatch):
    """What happens in a training: who is asked about, and who learns from, which clips."""
    happened = []

    def noting(name, method):
        def call(self, batch, *args, **kwargs):
            samples = args[0] if name == 'step' else batch['data_samples']
            happened.append((name, tuple(sample.sample_id for sample in samples)))
            return method(self, batch, *args, **kwargs)

        return call

    monkeypatch.setattr(MultimodalTeacher, 'ask', noting('ask', MultimodalTeacher.ask))
    monkeypatch.setattr(StudentRecognizer, 'loss', noting('step', StudentRecognizer.loss))
    return happened


def trained(train, cfg, **switches):
    cfg['teacher'].update(switches)
    cfg['default_hooks'] = RNG_STATE
    return train(cfg).model.state_dict()


@pytest.mark.parametrize('train_cfg', [EPOCHS, ITERATIONS], ids=['epochs', 'iterations'])
def test_the_student_is_the_same_to_the_bit(distillation, train, order, train_cfg):
    plain = trained(train, distillation(train_cfg=train_cfg))
    without, order[:] = list(order), []
    ahead = trained(train, distillation(train_cfg=train_cfg), prefetch=True)
    assert all(torch.equal(value, ahead[key]) for key, value in plain.items())
    # The same clips in the same order, asked about once each ...
    for name in ('ask', 'step'):
        assert [x for x in order if x[0] == name] == [x for x in without if x[0] == name]
    # ... and, within a pass, before the step of the batch before.
    asked, stepped = (order.index(x) for x in (('ask', without[2][1]), ('step', without[0][1])))
    assert asked < stepped
    assert order[0] == without[0]


def test_inputs_brought_once_teach_the_same(distillation, train):
    shared, apart = (trained(train, distillation(), share_inputs=flag) for flag in (True, False))
    assert all(torch.equal(value, apart[key]) for key, value in shared.items())


def test_blending_is_not_drawn_ahead(distillation, train):
    cfg = distillation()
    cfg['teacher']['prefetch'] = True
    cfg['model']['recognizer']['data_preprocessor']['blending'] = dict(
        type='MixupBlending', num_classes=4
    )
    with pytest.raises(ValueError, match='prefetch=False'):
        train(cfg)


class TestPeekable:
    def test_looking_changes_nothing(self):
        items = prefetch.Peekable(iter('abc'))
        assert [items.peek(), items.peek(), next(items), next(items)] == ['a', 'a', 'a', 'b']
        assert [items.peek(), *items] == ['c', 'c']
        assert items.peek() is None and list(items) == []

    def test_a_loader_stays_itself(self):
        data = torch.utils.data.DataLoader(range(5), batch_size=2)
        loader = prefetch.PeekableLoader(data)
        assert len(loader) == 3 and loader.dataset is data.dataset
        assert loader.batches.peek() is None
        for _ in range(2):
            batches = iter(loader)
            assert loader.batches.peek().tolist() == [0, 1]
            assert [batch.tolist() for batch in batches] == [[0, 1], [2, 3], [4]]
