"""What several tests share: a fixed seed, and recognizers small enough for a CPU."""

import os
import shutil
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

import mmdistill  # noqa: F401  (repairs upstream first)
from mmdistill.labels import set_task_labels

# What writes miniatures of the data sets is used by several rooms.
sys.path.insert(0, str(Path(__file__).parent / 'miniatures'))

CLASSES = dict(verb=4, noun=5)


def pytest_configure(config):
    """Indices of the tests' videos do not stay in the user's cache directory."""
    if 'PYTEST_XDIST_WORKER' not in os.environ:  # workers use that of the process that started them
        config.cache_home = tempfile.mkdtemp(prefix='mmdistill-tests-')
        config.own_cache_home = os.environ.get('XDG_CACHE_HOME')
        os.environ['XDG_CACHE_HOME'] = config.cache_home


def pytest_unconfigure(config):
    if hasattr(config, 'cache_home'):
        os.environ.pop('XDG_CACHE_HOME')
        if config.own_cache_home:
            os.environ['XDG_CACHE_HOME'] = config.own_cache_home
        shutil.rmtree(config.cache_home, ignore_errors=True)


def pytest_runtest_logreport(report):
    """Name what failed at once: a run that is stopped later prints no summary."""
    if report.failed and 'PYTEST_XDIST_WORKER' not in os.environ:
        why = str(report.longrepr).strip().splitlines()[-1:]
        print(f'\nfailed: {report.nodeid} ({report.when}) {"".join(why)[:200]}', flush=True)


@pytest.fixture(autouse=True)
def _fixed_seed():
    torch.manual_seed(0)
    np.random.seed(0)
    torch.set_num_threads(1)
    init_default_scope('mmaction')


def recognizer_config(classes=CLASSES, base_channels=4, dropout_ratio=0.5):
    """A 3D ResNet-18 with few channels; `classes` is a dict of tasks, or a number."""
    head = dict(type='I3DHead', in_channels=8 * base_channels, dropout_ratio=dropout_ratio)
    if isinstance(classes, dict):
        heads = {task: dict(head, num_classes=k) for task, k in classes.items()}
        cls_head = dict(type='mmdistill.MultitaskHead', heads=heads)
    else:
        cls_head = dict(head, num_classes=classes, average_clips='score')
    return dict(
        type='Recognizer3D',
        backbone=dict(
            type='ResNet3d',
            depth=18,
            pretrained=None,
            pretrained2d=False,
            base_channels=base_channels,
            conv1_kernel=(3, 3, 3),
            conv1_stride_t=1,
            pool1_stride_t=1,
            temporal_strides=(1, 1, 1, 1),
            norm_eval=False,
        ),
        data_preprocessor=dict(
            type='ActionDataPreprocessor',
            mean=[128.0, 128.0, 128.0],
            std=[64.0, 64.0, 64.0],
            format_shape='NCTHW',
        ),
        cls_head=cls_head,
    )


def make_batch(num_clips=3, num_views=1, modalities=('rgb', 'flow'), classes=CLASSES):
    """A collated batch as MMEngine's pseudo_collate gives it, with random frames and labels."""
    generator = torch.Generator().manual_seed(1)
    inputs = {
        key: [
            torch.randint(0, 256, (num_views, 3, 2, 32, 32), generator=generator).byte()
            for _ in range(num_clips)
        ]
        for key in modalities
    }
    samples = []
    for i in range(num_clips):
        sample = ActionDataSample(metainfo=dict(sample_id=f'clip{i}'))
        if isinstance(classes, dict):
            set_task_labels(sample, {task: i % k for task, k in classes.items()})
        else:
            set_task_labels(sample, i % classes)
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def write_sound(path: Path, samples_N: np.ndarray, rate: int, video: Path | None = None) -> Path:
    """A .mp4 with this sound (AAC) and the pictures of `video`, or a .wav of 16 bits.

    The index of an .mp4 comes first, so that it still opens when it is cut short.
    """
    wav = path.suffix == '.wav'
    options = {} if wav else dict(movflags='faststart')
    with av.open(str(path), 'w', options=options) as out:
        copied = None
        if video is not None:
            source = av.open(str(video))
            copied = out.add_stream_from_template(source.streams.video[0])
        stream = out.add_stream('pcm_s16le' if wav else 'aac', rate=rate, layout='mono')
        # The encoder has to be open before the first packet makes the header.
        packets = [p for frame in _sound_frames(samples_N, rate, wav) for p in stream.encode(frame)]
        if copied is not None:
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = copied
                    out.mux(packet)
            source.close()
        out.mux(packets)
    return path


def _sound_frames(samples_N: np.ndarray, rate: int, wav: bool):
    data = np.rint(samples_N * 32767).astype(np.int16) if wav else samples_N.astype(np.float32)
    for first in range(0, len(data), 1024):
        part = np.ascontiguousarray(data[None, first : first + 1024])
        frame = av.AudioFrame.from_ndarray(part, format='s16' if wav else 'fltp', layout='mono')
        frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
        yield frame
    yield None


@pytest.fixture(name='write_sound', scope='session')
def _write_sound():
    return write_sound


@pytest.fixture(name='recognizer_config')
def _recognizer_config():
    return recognizer_config


@pytest.fixture(name='make_batch')
def _make_batch():
    return make_batch
