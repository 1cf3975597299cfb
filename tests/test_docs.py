"""The pages tell the truth: snippets run, configs load, commands, links and files exist."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from miniature_media import write_video
from mmengine.registry import init_default_scope
from programs import load_program

from mmdistill.config_options import KeyValues
from mmdistill.config_tools import load_config
from mmdistill.config_usage import unused_entries
from mmdistill.registry import MODALITIES, MODELS, TRANSFORMS

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / 'tests/documented'))
from pages import BLOCK, PAGES, blocks, commands, file_name, file_of  # noqa: E402

NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]


loaded = cache(load_config)  # reading a config with upstream bases takes a moment


def excerpt(block: str) -> tuple[str, str] | None:
    """The file that a snippet quotes, from its first line, and the quotation."""
    found = re.match(r'# ([\w/]+\.py), in part\n(.*)', block, re.DOTALL)
    return found and (found[1], found[2])


@pytest.fixture(scope='module')
def clone(tmp_path_factory):
    """A clone with the files that the pages tell their reader to write, as working directory."""
    root = tmp_path_factory.mktemp('clone')
    shutil.copytree(ROOT / 'configs', root / 'configs')
    shutil.copytree(ROOT / 'projects', root / 'projects')
    for page in PAGES:
        for block in blocks(page, 'python'):
            if file_name(block):
                path = root / file_name(block)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block)
    csv = next(b for b in blocks(ROOT / 'docs/data_format.md', '') if b.startswith('video_id,'))
    mine = root / 'data/mine'
    (mine / 'videos').mkdir(parents=True)
    for video in ('kitchen_1', 'kitchen_2', 'kitchen_3'):
        (mine / f'videos/{video}.mp4').touch()
    (mine / 'train.csv').write_text(csv)
    (mine / 'classes.csv').write_text('id,name\n0,push\n1,lift\n2,touch\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.syspath_prepend(str(root))
        yield root


@pytest.mark.parametrize('page', PAGES, ids=NAMES)
def test_snippets_run(page, clone):
    init_default_scope('mmaction')
    for block in blocks(page, 'python'):
        # A file is another test's; deploying needs a trained student.
        if not (file_name(block) or excerpt(block) or re.search(r'student\.(pth|safet)', block)):
            exec(compile(block, str(page), 'exec'), {})


@pytest.mark.slow
def test_the_deployment_runs_in_a_program_of_its_own(tmp_path):
    """As it stands in the guide: nothing has imported and repaired anything before."""
    (block,) = [b for b in blocks(ROOT / 'docs/deployment.md', 'python') if 'student.pth' in b]
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    model = MODELS.build(load_config(ROOT / 'configs/unimodal/swin_ek100_rgb.py').model)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'student.pth')
    frames = np.random.default_rng(0).integers(0, 256, (70, 48, 64, 3), dtype=np.uint8)
    write_video(tmp_path / 'clip.mp4', frames, 25)
    done = subprocess.run(
        [sys.executable, '-c', block],
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search(r"\{'verb': \d+, 'noun': \d+\}", done.stdout)


def test_quotations_are_what_the_files_say():
    quoted = [excerpt(block) for page in PAGES for block in blocks(page, 'python')]
    for name, text in filter(None, quoted):
        assert text in (ROOT / name).read_text(), name
    for page in PAGES:
        for block in blocks(page, 'python'):
            name = file_name(block) or ''
            if name.startswith('projects/') and (ROOT / name).exists():
                assert block == f'# {name}\n{(ROOT / name).read_text()}'


def test_configs_of_the_pages_load_and_their_pipelines_build(clone):
    init_default_scope('mmaction')
    found = [file_name(b) for page in PAGES for b in blocks(page, 'python') if file_name(b)]
    configs = [name for name in found if '\n_base_ =' in (clone / name).read_text()]
    assert len(configs) == len(set(configs)) > 5
    for name in configs:
        cfg = loaded(name)
        if 'train_dataloader' not in cfg:
            assert 'type' in cfg.model.cls_head, name
            continue
        for loader in ('train', 'holdout', 'val', 'test'):
            load = cfg[f'{loader}_dataloader'].dataset.pipeline.load
            step = TRANSFORMS.build(load)
            if 'teacher' in cfg and loader in ('train', 'holdout'):
                wanted = {e.get('modality', n) for n, e in cfg.teacher.experts.items()}
                assert wanted <= step.modalities.keys(), name


def test_parts_of_the_pages_work(clone):
    load_config('projects/depth/swin_ek100_depth.py')
    load_config('projects/cosine/swin_ek100_rgbflowobj.py')
    logits = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    cosine = MODELS.build(dict(type='mmdistill.CosineLoss'))
    assert cosine(logits, 2 * logits + 1).item() == pytest.approx(0, abs=1e-6)
    __import__('projects.margin.margin')
    sure = torch.stack([logits, 9 * logits], dim=1)
    weights = MODELS.build(dict(type='mmdistill.MarginWeighting')).weights(sure, None)
    assert weights.sum(1).allclose(torch.ones(4)) and (weights[:, 1] > weights[:, 0]).all()

    folder = clone / 'depth/video'
    folder.mkdir(parents=True)
    for number, millimetres in ((1, 0), (2, 1000)):
        image = np.full((8, 10), millimetres, np.uint16)
        cv2.imwrite(str(folder / f'frame_{number:010d}.png'), image)
    with MODALITIES.switch_scope_and_registry('mmdistill') as registry:
        depth = registry.build(dict(type='mmdistill.DepthModality'))
    record = dict(sample_id='a', media=dict(depth=str(folder)))
    frames = depth.read(record, np.array([0, 1, 1]))
    assert frames.shape == (3, 8, 10, 3) and frames[:, 0, 0, 0].tolist() == [255, 191, 191]


def parsed(words: list[str], number: int) -> argparse.Namespace:
    """What a tool makes of its arguments; it is the word of this number, a launcher may precede."""
    tool, arguments = words[number], words[number + 1 :]
    if tool.endswith('.sh'):  # CONFIG [CHECKPOINT] PROCESSES FLAGS
        assert arguments.pop(1 if 'train' in tool else 2).isdigit()
        tool = tool.replace('dist_', '').replace('.sh', '.py')
    return load_program(tool).parse_args([word for word in arguments if word != '&'])


COMMANDS = [(page.name, words) for page in PAGES for words in commands(page)]


@pytest.mark.parametrize(('page', 'words'), COMMANDS)
def test_commands_exist(page, words, clone, monkeypatch):
    number = next(i for i, word in enumerate(words) if word.startswith(('tools/', 'projects.')))
    tool = words[number] = file_of(words[number])
    assert (ROOT / tool).is_file()
    monkeypatch.setenv('LOCAL_RANK', '0')  # where a tool notes its rank
    args = parsed(words, number)
    if tool == 'tools/analysis/cache_size.py':
        load_program(tool).main(words[number + 1 :])
    config = next((word for word in words if word.endswith('.py') and word != tool), None)
    if config is not None:
        config = config.rpartition('=')[2]  # NAME=CONFIG
    if config is None or config.startswith(('work_dirs', 'CONFIG')):
        return
    cfg = loaded(config)
    if '--cfg-options' not in words:
        return
    options = args.cfg_options
    if isinstance(options, list):  # words that are handed on to other tools
        parser = argparse.ArgumentParser()
        parser.add_argument('options', nargs='+', action=KeyValues)
        options = parser.parse_args(options).options
    for key in options:
        node = cfg
        for part in key.split('.'):
            if part == 'indices' or isinstance(node, list) and part == str(len(node)):
                break  # an argument of every data set; a new element
            node = node[int(part)] if isinstance(node, (list, tuple)) else node[part]
    assert unused_entries(load_config(config, options), options) == []


@pytest.mark.parametrize('page', PAGES, ids=NAMES)
def test_links_lead_somewhere(page):
    text = BLOCK.sub('', page.read_text())
    for target in re.findall(r'\]\((?!https?://)([^)]+)\)', text):
        path, _, anchor = target.partition('#')
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), target
        if anchor:
            headings = re.findall(r'^#+ (.+)$', BLOCK.sub('', other.read_text()), re.MULTILINE)
            slugs = [re.sub(r'[^\w\- ]', '', h.lower()).replace(' ', '-') for h in headings]
            assert anchor in slugs, target


@pytest.mark.parametrize('page', PAGES, ids=NAMES)
def test_named_files_exist(page):
    rooms = 'mmdistill|configs|tools|tests|docs|projects'
    made = {file_name(b) for p in PAGES for b in blocks(p, 'python')}
    for name in re.findall(
        rf'(?<![\w/.])((?:{rooms})/[\w/-]+(?:\.\w+)?)(?![\w<])', page.read_text()
    ):
        if name not in made and 'my_' not in name:
            there = (ROOT / name).exists() or (page.parent / name).exists()
            assert there, f'{page.name} names {name}'
