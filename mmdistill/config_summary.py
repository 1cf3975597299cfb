"""What a model will really see of a config's data: read from the loaders, not from the intentions.

Printed by mmdistill check and at the start of a training.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from .config_usage import unused_entries
from .data_checks import data_sets
from .randomness import same_randomness
from .selection import WARNING, selects_on_test
from .video import VideoError, index_video

# Words that a mirror turns around; `upright` and `alright` are none.
SIDED = re.compile(
    r'(?<![a-z])(?:(?:left|right)(?:hand(?:ed)?|wards?|most)?|(?:anti|counter)?clockwise)(?![a-z])'
)
# How many class names a warning lists.
SHOWN = 3


def log_start(runner: Runner, cfg_options: Iterable[str] = ()) -> None:
    """Log what a training will read, and warn of what changes nothing or is hardly meant.

    Args:
        runner: Before it has started.
        cfg_options: The keys of `--cfg-options`.
    """
    if not is_main_process():
        return
    for sentence in unused_entries(runner.cfg, cfg_options):
        runner.logger.warning(sentence)
    if selects_on_test(runner.cfg):
        runner.logger.warning(WARNING)
    for name in ('train', 'val'):
        loop, loader = getattr(runner, f'{name}_loop'), runner.cfg.get(f'{name}_dataloader')
        if not hasattr(loop, 'dataloader') or not loader or not len(loop.dataloader.dataset):
            continue
        dataset = loop.dataloader.dataset
        for line in loader_lines(name, loader, dataset, 0):
            runner.logger.info(line)
        warning = mirrored_classes(loader, dataset) if name == 'train' else None
        if warning:
            runner.logger.warning(warning)


def loader_lines(
    name: str, loader: Mapping[str, Any], dataset: Any, clip: int | str | None
) -> list[str]:
    """What a data set gives to a model, in a few lines.

    Args:
        name: Of the loader: train, holdout, val or test.
        loader: Its config.
        dataset: What was built from it.
        clip: Number or sample id of the clip that is read for its shapes; None reads none.
    """
    inner = next(data_sets(dataset))
    index = _index_of(inner, clip)
    size = loader.get('batch_size')
    lines = [f'{name}: {len(dataset)} clips' + (f' in batches of {size}' if size else '')]
    shapes = '' if index is None else _shapes(inner, index)
    if shapes:
        lines.append(f'  a clip: {shapes}')
    steps = list(_steps(loader.get('dataset') or {}))
    frames = [text for _, step in steps if (text := _sampling(step))]
    if frames:
        lines.append(f'  frames: {", ".join(frames)}{_rate(inner, index)}')
    augmented = [_brief(step) for _, step in steps if _is_geometry(step)]
    if augmented:
        lines.append(f'  geometry: {", ".join(augmented)}')
    classes = getattr(inner, 'classes', None) or {}
    counts = [f'{task} {len(names)}' for task, names in classes.items() if names]
    if counts:
        lines.append(f'  classes: {", ".join(counts)}')
    return lines


def mirrored_classes(loader: Mapping[str, Any], dataset: Any) -> str | None:
    """A warning where training mirrors clips whose classes tell left from right, else None."""
    flips = [
        (key, step)
        for key, step in _steps(loader.get('dataset') or {})
        if _type_of(step) == 'Flip'
        and step.get('flip_ratio', 0.5) > 0
        and step.get('direction', 'horizontal') == 'horizontal'
        and not step.get('flip_label_map')
    ]
    names = [
        name
        for part in data_sets(dataset)
        for classes in (getattr(part, 'classes', None) or {}).values()
        for name in classes or ()
        if is_sided(name)
    ]
    if not flips or not names:
        return None
    key, step = flips[0]
    shown = ', '.join(repr(name) for name in names[:SHOWN])
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return (
        f'Training mirrors clips with probability {step.get("flip_ratio", 0.5)}, but classes tell '
        f'left from right: {shown}{more}. Turn it off: '
        f'--cfg-options train_dataloader.dataset.{key}.flip_ratio=0'
    )


def is_sided(name: str) -> bool:
    """Whether a class name means something else in a mirror."""
    words = re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', str(name)).lower().replace('-', ' ')
    return bool(SIDED.search(words.replace('_', ' ')))


def _index_of(dataset: Any, clip: int | str | None) -> int | None:
    if not isinstance(clip, str):
        return clip
    numbers = range(len(dataset))
    return next((i for i in numbers if dataset.plain_record(i)['sample_id'] == clip), None)


def _shapes(dataset: Any, index: int) -> str:
    """The shapes of a clip, view by view; nothing where it cannot be read."""
    try:
        with same_randomness():
            inputs = dataset[index]['inputs']
    # A clip that cannot be read is another check's to tell.
    except Exception:
        return ''
    if not isinstance(inputs, Mapping):
        inputs = {'input': inputs}
    return ', '.join(
        f'{key} {" x ".join(map(str, np.shape(value)))}'
        for key, value in inputs.items()
        if len(np.shape(value))
    )


def _rate(dataset: Any, index: int | None) -> str:
    """Frames per second of a clip's video."""
    try:
        path = Path(dataset.load_record(index)['media']['rgb'])
        video = index_video(path) if path.is_file() and path.suffix != '.h5' else None
    except (AttributeError, KeyError, IndexError, OSError, TypeError, ValueError, VideoError):
        return ''
    return f', from video of {video.frames_per_second:.4g} frames per second' if video else ''


def _steps(node: Any, key: str = '') -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every step of the pipelines below a node, in their order, with its dotted key."""
    entries: Iterable[tuple[Any, Any]] = ()
    if isinstance(node, Mapping):
        if 'type' in node and key:
            yield key, node
        entries = node.items()
    elif isinstance(node, (list, tuple)):
        entries = enumerate(node)
    for name, value in entries:
        yield from _steps(value, f'{key}.{name}' if key else str(name))


def _type_of(step: Mapping[str, Any]) -> str:
    kind = step.get('type')
    return (kind if isinstance(kind, str) else getattr(kind, '__name__', '')).rpartition('.')[2]


def _sampling(step: Mapping[str, Any]) -> str:
    if 'Sample' not in _type_of(step):
        return ''
    interval = f', {step["frame_interval"]} apart' if 'frame_interval' in step else ''
    number = f'{step.get("num_clips", 1)} x {step.get("clip_len", 1)} frames'
    return f'{number}{interval} ({_type_of(step)})'


def _is_geometry(step: Mapping[str, Any]) -> bool:
    return bool(re.search('Resize|Crop|Flip|Jitter|Dropout|Aug|Mask', _type_of(step)))


def _brief(step: Mapping[str, Any]) -> str:
    kind = _type_of(step)
    if kind == 'Flip':
        return f'Flip with probability {step.get("flip_ratio", 0.5)}'
    sizes: Sequence[Any] = [step[key] for key in ('scale', 'crop_size', 'size') if key in step]
    return ' '.join([kind, *(str(size).replace(' ', '') for size in sizes[:1])])
