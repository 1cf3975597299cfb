"""What of a test pipeline has to travel with a model."""

from collections.abc import Mapping
from typing import Any

from ..datasets.transforms import named_steps
from .geometry_steps import STEPS

# Steps of MMAction2's own pipelines: what is sampled, and what only reads or packs.
SAMPLERS = ('SampleFrames', 'UniformSample', 'UniformSampleFrames', 'DenseSampleFrames')
READERS = (
    *('DecordInit', 'DecordDecode', 'OpenCVInit', 'OpenCVDecode', 'PyAVInit', 'PyAVDecode'),
    *('VideoInit', 'VideoDecode', 'RawFrameDecode', 'PackActionInputs'),
)


def clip_of_pipeline(pipeline: Any) -> dict[str, Any]:
    """What of a test pipeline has to travel with a model.

    Args:
        pipeline: Of mmdistill (`sample`, `load`, `pack`), or a list of MMAction2's steps.

    Raises:
        ValueError: A step is of another kind.
    """
    steps = [_plain(step) for step in named_steps(pipeline)]
    samplers = [step for step in steps if _name(step) in SAMPLERS]
    loads = [step for step in steps if _name(step) == 'LoadModalities']
    if len(samplers) != 1 or len(loads) > 1:
        raise ValueError(
            f'The test pipeline samples {len(samplers)} times; expected one of {SAMPLERS}.'
        )
    sample = samplers[0] | dict(test_mode=True)
    if not loads:
        return _of_stock(sample, steps)
    unknown = [_name(s) for s in steps if _name(s) not in (*SAMPLERS, 'LoadModalities')]
    if set(unknown) - {'PackModalities'}:
        raise ValueError(f'The test pipeline has steps that cannot be published: {unknown}.')
    reads = loads[0].get('inputs')
    rgb = loads[0]['modalities'].get(reads) if isinstance(reads, str) else None
    if rgb is None or _name(rgb) != 'RGBModality':
        raise ValueError(f'The model reads {reads!r} at test; only one RGBModality can travel.')
    kept = ('input_format', 'clip_len', 'size', 'transforms')
    return _checked(
        sample,
        named_steps(loads[0].get('geometry', ())),
        {key: rgb[key] for key in kept if rgb.get(key) is not None},
    )


def _of_stock(sample: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    shapes = [step['input_format'] for step in steps if _name(step) == 'FormatShape']
    geometry = [step for step in steps if _name(step) in STEPS]
    known = (*SAMPLERS, *READERS, *STEPS, 'FormatShape')
    unknown = [_name(step) for step in steps if _name(step) not in known]
    if unknown or len(shapes) != 1:
        raise ValueError(
            f'The test pipeline has steps that cannot be published: {unknown or "no FormatShape"}.'
        )
    return _checked(sample, geometry, dict(input_format=shapes[0]))


def _checked(
    sample: dict[str, Any], geometry: list[dict[str, Any]], modality: dict[str, Any]
) -> dict[str, Any]:
    unknown = [_name(step) for step in geometry if _name(step) not in STEPS]
    layout = modality.setdefault('input_format', 'NCTHW')
    if unknown or layout not in ('NCTHW', 'NCHW'):
        raise ValueError(
            f'The test pipeline has {unknown or layout}, which cannot be published: it takes the '
            f"geometry {list(STEPS)} and the formats 'NCTHW' and 'NCHW'."
        )
    geometry = [dict(step, type=_name(step)) for step in geometry]
    return dict(sample=sample, geometry=geometry, modality=modality)


def _name(step: Mapping[str, Any]) -> str:
    return str(step['type']).rpartition('.')[2]


def _plain(node: Any) -> Any:
    """Without MMEngine's ConfigDict, and without the scope that it stamps on upstream's parts."""
    if isinstance(node, Mapping):
        return {key: _plain(value) for key, value in node.items() if key != '_scope_'}
    return type(node)(map(_plain, node)) if isinstance(node, (list, tuple)) else node
