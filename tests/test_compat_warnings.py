"""What upstream warns of needlessly is not printed; what is asked for is still there."""

import warnings

import pytest
import torch
from mmengine.fileio import FileClient
from mmengine.logging import MMLogger
from mmengine.runner.checkpoint import save_checkpoint

import mmdistill.hooks  # noqa: F401  (repairs upstream)
from mmdistill import compat
from mmdistill.compat_warnings import RequestedFileClient
from mmdistill.registry import FLOW_ESTIMATORS, MODALITIES


@pytest.fixture
def said(monkeypatch):
    """What goes through MMEngine's logger."""
    records = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'callHandlers', records.append)
    return records


def test_saving_a_checkpoint_makes_no_deprecated_client(tmp_path, said):
    save_checkpoint(dict(state_dict={}), str(tmp_path / 'x.pth'))
    assert torch.load(tmp_path / 'x.pth') == dict(state_dict={})
    assert not said


def test_a_client_that_is_asked_for_is_made(said):
    client = RequestedFileClient.infer_client(dict(backend='disk'))
    assert isinstance(client, FileClient) and client.client.name == 'HardDiskBackend'
    assert RequestedFileClient.infer_client(None, 'x.pth') is None


def test_meshgrid_is_accepted_and_nothing_else():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        compat.accept_what_upstream_calls()
        torch.meshgrid(torch.arange(2), torch.arange(3))
        warnings.warn('mine', UserWarning, stacklevel=1)
    assert [str(warning.message) for warning in caught] == ['mine']


@pytest.mark.parametrize(
    ('registry', 'cfg'),
    [
        (MODALITIES, dict(type='mmdistill.RGBModality')),
        (MODALITIES, dict(type='RGBModality', _scope_='mmaction')),  # as bases of MMAction2 stamp
        (FLOW_ESTIMATORS, dict(type='DIS')),
    ],
)
def test_our_kinds_of_parts_are_found_under_the_scope_of_mmaction(registry, cfg, said):
    built = registry.build(cfg)
    assert type(built).__name__ in cfg['type']
    assert 'Failed to search registry' not in ' '.join(record.getMessage() for record in said)
