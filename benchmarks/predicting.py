"""i. One clip from the video to the prediction, in every format."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from mmengine.registry import init_default_scope

from mmdistill.config_tools import load_config
from mmdistill.deploy import (
    ActionInferencer,
    PublishedModel,
    load_model,
    publish_model,
    write_published,
)
from mmdistill.deploy.clips import ClipReader
from mmdistill.deploy.onnx_export import export_onnx
from mmdistill.deploy.openvino_export import export_openvino
from mmdistill.deploy.sources import VideoSource
from mmdistill.deploy.torch_network import build_network
from mmdistill.deploy.torch_program import TorchProgram
from mmdistill.deploy.view_network import ViewNetwork
from mmdistill.deploy.views import as_views
from mmdistill.registry import MODELS

from .report import Section, goal_line, table
from .sizes import FULL, Size
from .timing import Times, in_turns, ratio, spread

GOAL = 0.5
STUDENTS = {
    'demo student': 'projects/demo/configs/student.py',
    'Video Swin-T': 'configs/distill/swin_ek100_rgbflowobj.py',
}
EAGER = 'PyTorch, eager'
FRAMES = 80


def run(size: Size, folder: Path) -> Section:
    """Time the students; the small one alone where all is tiny."""
    video = write_video(folder / 'predicted.mp4', size.video)
    names = list(STUDENTS) if size is FULL else list(STUDENTS)[:1]
    parts = [
        'From the video file (H.264, decoded on the spot) to calibrated probabilities, batch size '
        '1, random weights; int8 measured its ranges on this clip, so only its time counts here.'
    ]
    for name in names:
        models, sizes = formats(STUDENTS[name], video, folder / name.replace(' ', '_'))
        calls = {way: lambda model=model: model.predict(video) for way, model in models.items()}
        parts += text(name, in_turns(calls, size.rounds), sizes)
    return Section('i', 'A prediction in every format', '\n\n'.join(parts))


def write_video(path: Path, size: tuple[int, int]) -> Path:
    """A video of coloured blocks."""
    generator = np.random.default_rng(0)
    with av.open(str(path), 'w') as out:
        stream = out.add_stream('libx264', rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = (*size, 'yuv420p')
        for _ in range(FRAMES):
            blocks = generator.integers(0, 256, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(blocks.repeat(8, 0).repeat(8, 1))
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def formats(
    config: str, video: Path, folder: Path
) -> tuple[dict[str, ActionInferencer], dict[str, float]]:
    """The student of a config in every format, and megabytes of each on disk."""
    described, network = build(config, folder)
    source = VideoSource(video)
    clip = ClipReader(described.clip).inputs(source.read, 0, source.num_frames)
    views = [as_views(clip, described)]
    models = {
        EAGER: load_model(folder / 'student.safetensors', 'cpu'),
        'PyTorch, torch.compile': compiled(described, network),
    }
    sizes = {way: megabytes(folder / 'student.safetensors') for way in models}
    for precision in ('fp32', 'int8'):
        given: dict[str, Any] = dict(views=views) if precision == 'int8' else {}
        for title, export, suffix in (
            ('ONNX Runtime', export_onnx, '.onnx'),
            ('OpenVINO', export_openvino, '.xml'),
        ):
            path = folder / f'{precision}{suffix}'
            way = f'{title}, {precision}'
            try:
                export(described, network, path, precision, **given)
            except ValueError as error:
                print(f'{config}: {way} is left out: {error}', flush=True)
                continue
            models[way] = load_model(path, 'cpu')
            sizes[way] = megabytes(path) + megabytes(path.with_suffix('.bin'))
    return models, sizes


def build(config: str, folder: Path) -> tuple[PublishedModel, torch.nn.Module]:
    """Publish the student of a config with random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    init_default_scope('mmaction')
    torch.manual_seed(0)
    student = MODELS.build(load_config(config).model)
    torch.save(dict(state_dict=student.state_dict(), meta={}), folder / 'student.pth')
    described, weights = publish_model(config, folder / 'student.pth')
    write_published(folder / 'student.safetensors', described, weights)
    return described, build_network(described, weights, folder)


def compiled(described: PublishedModel, network: torch.nn.Module) -> ActionInferencer:
    """The network through torch.compile."""
    module = torch.compile(ViewNetwork(network).eval())
    return ActionInferencer(described, TorchProgram(module, described, torch.device('cpu')))


def megabytes(path: Path) -> float:
    """Of a file; 0 where there is none."""
    return path.stat().st_size / 1e6 if path.is_file() else 0.0


def text(name: str, times: dict[str, Times], sizes: dict[str, float]) -> list[str]:
    """The table of a student, and whether the goal is met."""
    eager = times[EAGER].wall
    rows = [
        [
            way,
            spread([1000 * x for x in found.wall]).text(1),
            ratio(found.wall, eager).text(2),
            f'{sizes[way]:.1f}',
        ]
        for way, found in times.items()
    ]
    best = min(times, key=lambda way: ratio(times[way].wall, eager).median)
    line = goal_line(f'{best} ÷ eager', ratio(times[best].wall, eager), GOAL, at_most=True)
    return [f'**{name}**', table(['', 'ms per clip', '÷ eager', 'MB'], rows), line]
