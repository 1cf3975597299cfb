"""Data in its owners' layouts: tools/data/check.py is content, and flow and boxes lie on RGB."""

import numpy as np
import pytest
from miniature_epic import write_paper_packs
from programs import load_program
from reduced import ROOT

from mmdistill.config_tools import load_config
from mmdistill.extraction.check_data import plan_check
from mmdistill.modalities import DetectionModality, FlowModality, RGBModality

BRIGHT = 140  # the ground is darker, the square brighter
MOVING = 3  # codes of flow, beside 128
FRAMES = 'rgb_frames/{video_id}'
CONFIG = """
_base_ = '{base}'
load = dict(modalities=dict(obj=dict(_delete_=True, type='mmdistill.{kind}')))
own = dict(dataset=dict(media={media}, {more}pipeline=dict(load=load)))
train_dataloader = holdout_dataloader = own
val_dataloader = test_dataloader = {val}
"""


def tool(name):
    return load_program(f'tools/data/{name}.py').main


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    """Run the tool on a config and a data set, and compare the modalities pixel by pixel."""
    monkeypatch.chdir(ROOT)

    def run(config, root):
        words = [str(config), '--out-dir', str(tmp_path / 'out'), '--workers', '0']
        code = tool('check')([*words, '--frames', '3', '--cfg-options', f'data_root={root}/'])
        printed = capsys.readouterr().out
        assert code == 0, printed
        cfg = load_config(config, dict(data_root=f'{root}/'))
        compared = sum(compare(plan) for plan in plan_check(cfg).plans)
        return printed, compared

    return run


def compare(plan) -> int:
    """How many things lie on the square of the RGB frames; an error if one does not."""
    rgb = next((m for m in plan.modalities.values() if isinstance(m, RGBModality)), None)
    if rgb is None:
        return 0
    compared = 0
    for record in map(plan.complete, plan.records):
        last = record['stop_frame'] - 1
        inds = np.linspace(record['start_frame'], last, 4).round().astype(int)
        frames = rgb.read(record, inds)
        squares = [bounding_box(frame.min(axis=-1) > BRIGHT) for frame in frames]
        for key, modality in plan.modalities.items():
            if isinstance(modality, DetectionModality):
                height, width = frames.shape[1:3]
                boxes = modality.read(record, inds)[..., :4] * (width, height, width, height)
                found = [nearest(b, s) for b, s in zip(boxes, squares, strict=True)]
            elif isinstance(modality, FlowModality):
                flow = modality.read(record, inds)[..., :2].astype(int) - 128
                found = [bounding_box(np.abs(f).max(axis=-1) > MOVING) for f in flow]
            else:
                continue
            # Flow of every second frame is that of the frame before, which is a pixel off.
            assert np.abs(np.array(found) - squares).max() <= 2.01, (key, record, found, squares)
            assert np.abs(np.array(found) - squares).mean() <= 1, (key, record, found, squares)
            compared += 1
    return compared


def bounding_box(mask):
    """The rectangle of a mask, by the rows and columns that are a quarter full."""
    columns = np.flatnonzero(mask.sum(axis=0) > 6)
    rows = np.flatnonzero(mask.sum(axis=1) > 6)
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def nearest(boxes, square):
    return boxes[np.abs(boxes - square).sum(axis=1).argmin()]


@pytest.mark.parametrize(
    ('config', 'things'),
    [
        ('distill/swin_ek100_rgbflowobj', 2 * 8),
        ('unimodal/swin_ek100_audio', 0),
        ('distill/swin_sthv2_rgbflowobj', 2 * 8),
        ('distill/swin_sthelse_rgbflowobj', 2 * 8),
    ],
)
def test_sound_data(check, miniatures, config, things):
    path = ROOT / f'configs/{config}.py'
    printed, compared = check(path, miniatures[path.stem.split('_')[1]])
    assert 'Fine: ' in printed and compared == things


@pytest.fixture
def write_config(tmp_path):
    def write(base, kind, media, more='', val='own'):
        path = tmp_path / f'{kind}.py'
        base = ROOT / f'configs/distill/{base}.py'
        path.write_text(CONFIG.format(base=base, kind=kind, media=media, more=more, val=val))
        return path

    return write


def test_published_frames(published, check, write_config, capsys):
    """Tars are unpacked by one command; then hands, objects and masks are read beside them."""
    tars = [str(published / '*/rgb_frames/*.tar'), str(published / '*/flow_frames/*.tar')]
    assert tool('unpack_tars')(['--workers', '0', '--tars', *tars]) == 0
    folder, flow = '{participant_id}/', '{participant_id}/flow_frames/{video_id}'
    for kind, name in (('EpicHandObjects', 'hand-objects'), ('EpicObjectMasks', 'masks')):
        media = dict(rgb=folder + FRAMES, flow=flow, obj=f'{folder}{name}/{{video_id}}.pkl')
        config = write_config('swin_ek100_rgbflowobj', kind, media, 'video_info=None, ')
        printed, compared = check(config, published)
        assert 'Fine: ' in printed and compared == 2 * 8

    csv = published / 'annotations/EPIC_100_train.csv'
    for kind, name in (('--folders', 'rgb'), ('--flow', 'flow')):
        words = [kind, str(published / f'*/{name}_frames/P*[0-9]'), '--segments', str(csv)]
        tool('pack_hdf5')([*words, '--out', str(published / f'{name}.h5')])
    write_paper_packs(published)
    media = dict(rgb='rgb.h5', flow='flow.h5', obj='boxes.h5')
    config = write_config(
        'swin_ek100_rgbflowobj', 'PackedBoxes', media, 'video_info=None, ', val=None
    )
    assert check(config, published)[1] == 2 * 8


def test_the_lists_of_the_papers_authors(check, miniatures, write_config):
    media = dict(obj='something_something_detections')
    config = write_config('swin_sthv2_rgbflowobj', 'LayoutBoxes', media)
    assert check(config, miniatures['sthv2'])[1] == 2 * 8


def test_packed_sound(check, published, tmp_path):
    write_paper_packs(published)
    config = tmp_path / 'packed.py'
    config.write_text(
        f"_base_ = '{ROOT}/configs/unimodal/swin_ek100_audio.py'\n"
        "own = dict(dataset=dict(media=dict(audio='audio.h5'), video_info=None))\n"
        'train_dataloader = val_dataloader = test_dataloader = own\n'
        'holdout_dataloader = None\n'  # it would read RGB: only a teacher needs it
    )
    assert 'Fine: ' in check(config, published)[0]
