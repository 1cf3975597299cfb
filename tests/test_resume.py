"""A training continues from the checkpoint that came furthest, and only from one of its own."""

import os
import shutil

import pytest
import torch
from mmengine.logging import MMLogger

from mmdistill.checkpoints import CheckpointError
from mmdistill.resume import check_progress, latest_checkpoint


def save(path, epoch, **changes):
    messages = dict(log_scalars={}, runtime_info={}, resumed_keys={})
    content = dict(
        meta=dict(epoch=epoch, iter=10 * epoch),
        state_dict=dict(x=torch.rand(999)),
        message_hub=messages,
    )
    torch.save(content | changes, path)


@pytest.fixture
def work_dir(tmp_path):
    """Epochs 8 to 10, of which the last is noted, with times that say the opposite."""
    folder = tmp_path / 'run'
    folder.mkdir()
    for epoch in (8, 9, 10):
        save(folder / f'epoch_{epoch}.pth', epoch)
        os.utime(folder / f'epoch_{epoch}.pth', (1e9 - epoch, 1e9 - epoch))
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_10.pth'))
    return folder


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_an_empty_or_missing_folder_has_none(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / 'gone') is None


def test_the_noted_one_counts_and_not_its_time(work_dir):
    assert latest_checkpoint(work_dir) == str(work_dir / 'epoch_10.pth')
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'epoch_8.pth'))
    assert latest_checkpoint(work_dir) == str(work_dir / 'epoch_8.pth')


@pytest.mark.parametrize('note', ['', 'gone/epoch_11.pth', '\x00\ufffd', None])
def test_without_a_note_what_the_checkpoints_say_counts(work_dir, note):
    if note is None:
        (work_dir / 'last_checkpoint').unlink()
    else:
        (work_dir / 'last_checkpoint').write_text(note)
    # Neither the time nor the name: 9 is after 10 in the alphabet.
    assert latest_checkpoint(work_dir) == str(work_dir / 'epoch_10.pth')
    save(work_dir / 'iter_5.pth', 12)
    assert latest_checkpoint(work_dir) == str(work_dir / 'iter_5.pth')


def test_a_copied_work_dir_has_its_own_checkpoint(work_dir, tmp_path):
    shutil.copytree(work_dir, tmp_path / 'copy', copy_function=shutil.copyfile)
    assert latest_checkpoint(tmp_path / 'copy') == str(tmp_path / 'copy/epoch_10.pth')
    shutil.rmtree(work_dir)
    assert latest_checkpoint(tmp_path / 'copy') == str(tmp_path / 'copy/epoch_10.pth')


def test_a_copy_that_lost_its_newest_does_not_reach_into_the_old_place(work_dir, tmp_path):
    shutil.copytree(work_dir, tmp_path / 'copy')
    (tmp_path / 'copy/epoch_10.pth').unlink()
    assert latest_checkpoint(tmp_path / 'copy') == str(tmp_path / 'copy/epoch_9.pth')


def test_checkpoints_may_be_kept_in_a_folder_of_their_own(work_dir, tmp_path):
    (tmp_path / 'logs').mkdir()
    shutil.copy(work_dir / 'last_checkpoint', tmp_path / 'logs')
    assert latest_checkpoint(tmp_path / 'logs') == str(work_dir / 'epoch_10.pth')


@pytest.mark.parametrize(
    'damage',
    [
        cut,
        lambda path: path.write_bytes(b''),
        lambda path: torch.save([1], path),
        lambda path: torch.save(dict(state_dict={}), path),
        lambda path: save(path, 10, message_hub=None),
        lambda path: save(path, 10, meta=dict(epoch='ten', iter=3)),
    ],
    ids=['half', 'empty', 'a list', 'weights alone', 'no history', 'no epoch'],
)
def test_a_damaged_newest_is_passed_over_and_named(work_dir, capsys, damage):
    # The handler of a new logger writes to where this test looks.
    MMLogger.get_instance(f'test_resume_{work_dir}')
    damage(work_dir / 'epoch_10.pth')
    assert latest_checkpoint(work_dir) == str(work_dir / 'epoch_9.pth')
    printed = ' '.join(capsys.readouterr().out.split())
    assert 'WARNING' in printed and f'{work_dir / "epoch_10.pth"} ' in printed
    assert 'It is passed over.' in printed


def test_a_training_whose_checkpoints_are_all_damaged_does_not_begin_anew(tmp_path):
    save(tmp_path / 'epoch_1.pth', 1)
    cut(tmp_path / 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').write_text('run/epoch_1.pth')
    expected = r'None of the checkpoints in .* \(epoch_1\.pth\): give another one by --resume FILE'
    with pytest.raises(CheckpointError, match=expected):
        latest_checkpoint(tmp_path)


def test_the_best_checkpoint_is_no_place_to_continue_from(work_dir):
    save(work_dir / 'best_acc_epoch_11.pth', 11)
    (work_dir / 'last_checkpoint').unlink()
    assert latest_checkpoint(work_dir) == str(work_dir / 'epoch_10.pth')


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        ({}, 'does not say at which epoch'),
        (dict(meta=[]), 'does not say at which epoch'),
        (dict(meta=dict(epoch=1)), 'does not say at which epoch'),
        (dict(meta=dict(epoch=1, iter=-1)), 'does not say at which epoch'),
        (dict(meta=dict(epoch=1, iter=1)), 'no log history'),
        (dict(meta=dict(epoch=1, iter=1), message_hub=dict(log_scalars={})), 'no log history'),
    ],
)
def test_what_a_resume_needs_is_named(content, expected):
    with pytest.raises(CheckpointError, match=f'^a.pth cannot be resumed: .*{expected}.*load_from'):
        check_progress(content, 'a.pth')
