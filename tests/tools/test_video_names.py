"""Ids with folders and any characters: each tool's result is where the data set looks for it."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from miniature_media import write_video

from mmdistill.datasets import MultimodalDataset
from mmdistill.modalities import AudioModality, DetectionModality, FlowModality, RGBModality
from mmdistill.models.detector import FrameDetector

CONFIG = str(Path(__file__).parents[2] / 'projects/demo/configs/detector.py')
IDS = ['Step_1/clip [dQw4]', 'Step_2/clip [dQw4]', 'talk: 100% {a} = Ü?*', f'Step_1/{"視" * 60}']
FRAMES = 6


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """Videos and train.csv in a folder with brackets and braces, which is the current one."""
    root = tmp_path / 'my {data} [1] 100%d'
    root.mkdir()
    monkeypatch.chdir(root)
    for number, name in enumerate(IDS):
        frames = np.full((FRAMES, 48, 64, 3), 40 * number, np.uint8)
        frames[:, :, :20] = np.arange(FRAMES, dtype=np.uint8)[:, None, None, None] * 30
        write_video(Path('videos') / f'{name}.mp4', frames, Fraction(10), tone=440.0)
    lines = ['video_id,start_frame,stop_frame', *(f'{name},0,4\n{name},4,6' for name in IDS)]
    Path('train.csv').write_text('\n'.join(lines) + '\n')
    return root


def test_every_tool_puts_results_where_the_data_set_looks(root, load_tool, capsys):
    torch.manual_seed(0)
    torch.save({'state_dict': FrameDetector(CONFIG, None).model.state_dict()}, 'best_1.pth')
    ann = ['--ann', 'train.csv', '--workers', '0']
    flow = [*ann, '--out-template', 'flow/{video_id}']
    sound = [*ann, '--out-template', 'sound/{video_id}.flac']
    boxes = [CONFIG, 'best_*.pth', *ann, '--out', 'boxes.h5', '--device', 'cpu']
    for name, words in (('flow', flow), ('audio', sound), ('detections', boxes)):
        tool = load_tool(f'data/extract_{name}.py')
        assert not tool.main(words) and not tool.main([*words, '--check'])
        assert f'Fine: {len(IDS)} videos.' in capsys.readouterr().out
    pack = load_tool('data/pack_hdf5.py')
    pack.main(['--videos', '--ann', 'train.csv', '--out', 'rgb.h5', '--quality', '100'])
    folders = ['--flow', '--ann', 'train.csv', '--media', 'flow/{video_id}']
    pack.main([*folders, '--out', 'flow.h5'])

    media = dict(
        rgb='videos/{video_id}.mp4',
        flow='flow/{video_id}',
        obj='boxes.h5',
        audio='sound/{video_id}.flac',
    )
    dataset = MultimodalDataset('train.csv', data_root=str(root), media=media, labelled=False)
    packs = {name: str(root / f'{name}.h5') for name in ('rgb', 'flow')}
    wanted = np.arange(4)
    for index in range(0, len(dataset), 2):
        record = dataset.load_record(index)
        packed = record | dict(media=packs)
        rgb, flow = RGBModality(), FlowModality()
        stored, shown = (rgb.read(x, wanted).astype(int) for x in (packed, record))
        assert np.abs(stored - shown).mean() < 3
        np.testing.assert_array_equal(flow.read(packed, wanted), flow.read(record, wanted))
        for modality in (DetectionModality(max_boxes=2), AudioModality()):
            assert len(modality.read(record, wanted))


def test_a_damaged_video_of_a_folder_is_named_and_made_later(root, load_tool, capsys):
    tool = load_tool('data/extract_flow.py')
    words = ['--ann', 'train.csv', '--out-template', 'flow/{video_id}', '--workers', '0']
    damaged = Path(f'videos/{IDS[1]}.mp4')
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:300])
    assert tool.main(words) == 1
    assert f'FAILED {IDS[1]}: ' in capsys.readouterr().out
    assert tool.main([*words, '--check']) == 1
    assert f'PROBLEM {IDS[1]}: ' in capsys.readouterr().out
    damaged.write_bytes(whole)
    assert tool.main(words) == 0 and tool.main([*words, '--check']) == 0
    assert len(list(Path('flow').glob('Step_*/*/u/*.jpg'))) == 3 * FRAMES
    assert not list(Path('flow').rglob('.*'))


def test_files_that_the_shell_has_expanded(root, load_tool, capsys):
    paths = sorted(str(path) for path in Path('videos').rglob('*.mp4') if 'Step_2' not in str(path))
    tool = load_tool('data/extract_flow.py')
    words = ['--videos', *paths, '--out-template', 'flow/{video_id}', '--workers', '0']
    assert tool.main(words) == 0 and tool.main([*words, '--check']) == 0
    assert 'Fine: 3 videos.' in capsys.readouterr().out
    assert Path('flow/clip [dQw4]/u').is_dir() and not Path('flow/Step_1').exists()
    absolute = [f'{root}/videos/*.mp4', f'{root}/videos/Step_1/*.mp4']
    assert tool.main(['--videos', *absolute, *words[4:], '--check']) == 0
