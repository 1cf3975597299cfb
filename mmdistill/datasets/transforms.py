"""Pipeline steps: load every modality of a clip under one geometry, and pack them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.datasets.transforms import PackActionInputs
from mmcv.transforms import BaseTransform, Compose, to_tensor

from ..geometry import ClipGeometry
from ..labels import set_task_labels
from ..ranges import FRACTION, ONE_OR_MORE
from ..registry import MODALITIES, TRANSFORMS
from .missing import ModalityDropout, kept_modalities

META_KEYS = (
    'sample_id',
    'video_id',
    'group',
    'img_shape',
    'available',
    'participant_id',
    'unseen',
    'tail_verb',
    'tail_noun',
)
# Upstream checks none of these.
SAMPLING = dict(clip_len=ONE_OR_MORE, frame_interval=ONE_OR_MORE, num_clips=ONE_OR_MORE)
UPSTREAM_STEPS = {
    'SampleFrames': SAMPLING,
    'DenseSampleFrames': SAMPLING,
    'UniformSample': dict(clip_len=ONE_OR_MORE, num_clips=ONE_OR_MORE),
    'Flip': dict(flip_ratio=FRACTION),
    'RandomCrop': dict(size=ONE_OR_MORE),
}


@TRANSFORMS.register_module()
class LoadModalities(BaseTransform):
    """Read several modalities of a clip at the same frames, moved by the same geometry.

    MMAction2's geometric transforms are run on a blank frame, once. What they drew (crop, flip,
    size) then moves every modality, so a point under an RGB crop is the same point in flow and
    boxes by construction, and frames are cut and resized in one step.

    Required keys: a record (`sample_id`, `media`, …), `frame_inds`, `num_clips`, `clip_len`.
    Added keys: one per modality, `loaded`, `img_shape`, `available`.

    Args:
        modalities: Batch key to the config of a registered modality.
        inputs: Which of them are loaded: several for a multimodal model, whose inputs become a
            dict, or one as a string for a unimodal recognizer, whose inputs become a tensor. The
            geometry is drawn in the frames of the first. None loads all.
        geometry: MMAction2's Resize, RandomResizedCrop, MultiScaleCrop, CenterCrop, ThreeCrop,
            Flip in the usual order (flip last): a list, or a dict of named steps, of which a
            child config can change one.
        available: The only modalities that a clip may have: the others are treated as missing, to
            test a model on a subset. None for all.
        dropout: The `p` of a `ModalityDropout` that goes before; for training.

    Raises:
        KeyError: `inputs` or `available` names a modality that is not configured.
    """

    def __init__(
        self,
        modalities: dict[str, dict[str, Any]],
        inputs: str | Sequence[str] | None = None,
        geometry: Sequence[dict[str, Any]] | dict[str, dict[str, Any]] = (),
        available: Sequence[str] | None = None,
        dropout: dict[str, float] | None = None,
    ) -> None:
        self.single = isinstance(inputs, str)
        keys = [inputs] if isinstance(inputs, str) else list(inputs or modalities)
        allowed = modalities if available is None else available
        self.allowed = {allowed} if isinstance(allowed, str) else set(allowed)
        for name, named in (('inputs', set(keys)), ('available', self.allowed)):
            unknown = sorted(named - modalities.keys())
            if unknown or not named:
                raise KeyError(
                    f'LoadModalities got {name}={sorted(named)}, but the configured modalities are '
                    f'{sorted(modalities)}; add {unknown or "one"} to modalities or correct {name}.'
                )
        self.configured = frozenset(modalities)
        self.dropout = ModalityDropout(dropout) if dropout else None
        self.modalities = {key: MODALITIES.build(modalities[key]) for key in keys}
        self.geometry = Compose([TRANSFORMS.build(step) for step in named_steps(geometry)])

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Read the frames, draw the geometry in those of the first modality, move all of them."""
        if self.dropout is not None:
            results = self.dropout(results)
        sampled_VT = results['frame_inds'].reshape(-1, results['clip_len'])
        inds = {key: modality.frame_inds(sampled_VT) for key, modality in self.modalities.items()}
        frames = self._read(results, inds)
        geometry = self._draw(results, frames)
        for key, modality in self.modalities.items():
            results[key] = modality.views(frames[key], inds[key], geometry)
        results['available'] = {key: frames[key] is not None for key in frames}
        results['loaded'] = next(iter(frames)) if self.single else tuple(frames)
        results['img_shape'] = geometry.size
        return results

    def _read(
        self, results: dict[str, Any], inds: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray | None]:
        """The frames (F, …) of every modality; what several of them want is read once."""
        frames: dict[str, np.ndarray | None] = dict.fromkeys(self.modalities)
        kept = self._kept(results)
        for key in kept:
            if frames[key] is not None:
                continue
            modality = self.modalities[key]
            sharing = [k for k in kept if self.modalities[k].shares_frames(modality)]
            wanted = [inds[k].ravel() for k in sharing]
            ends = np.cumsum([len(x) for x in wanted])[:-1]
            parts = np.split(modality.read(results, np.concatenate(wanted)), ends)
            frames.update(zip(sharing, parts, strict=True))
        return frames

    def _kept(self, results: dict[str, Any]) -> list[str]:
        """Keys of the modalities that the clip has, may have and has not lost by dropout."""
        dropped = results.get('dropped', frozenset())
        unknown = sorted(dropped - self.configured)
        if unknown:
            raise KeyError(
                f'ModalityDropout drops {unknown}, but the modalities of LoadModalities are '
                f'{sorted(self.configured)}; correct p.'
            )
        items = self.modalities.items()
        present = [k for k, m in items if k in self.allowed and m.available(results)]
        return kept_modalities(present, dropped, results.get('survivors', ()))

    def _draw(self, results: dict[str, Any], frames: dict[str, np.ndarray | None]) -> ClipGeometry:
        reference = next((key for key in frames if frames[key] is not None), None)
        if reference is None:
            raise FileNotFoundError(
                f'Clip {results["sample_id"]!r} has none of the modalities {sorted(frames)}; '
                'remove it from the annotation file, or load one that it has.'
            )
        height, width = self.modalities[reference].frame_shape(results, frames[reference])
        blank = dict(
            imgs=[np.zeros((height, width, 3), dtype=np.uint8)],
            img_shape=(height, width),
            original_shape=(height, width),
            modality='RGB',
        )
        return ClipGeometry.from_results(self.geometry(blank))


@TRANSFORMS.register_module()
class PackModalities(PackActionInputs):
    """Pack the modalities that `LoadModalities` loaded, and the label of the clip.

    Args:
        meta_keys: Record entries that travel in the sample's metainfo where present.
    """

    def __init__(self, meta_keys: Sequence[str] = META_KEYS) -> None:
        super().__init__(collect_keys=(), meta_keys=meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return `inputs` (a tensor, or a dict of them) and `data_samples`."""
        record = dict(results)
        label, loaded = record.pop('label', None), record.pop('loaded')
        packed = super().transform(record)
        if label is not None:
            set_task_labels(packed['data_samples'], label)
        if isinstance(loaded, str):
            packed['inputs'] = to_tensor(results[loaded])
        else:
            packed['inputs'] = {key: to_tensor(results[key]) for key in loaded}
        return packed


def named_steps(
    steps: Sequence[dict[str, Any]] | dict[str, dict[str, Any]],
) -> list[dict[str, Any]]:
    """A pipeline as a list, whether it is given as one or as a dict of named steps.

    Raises:
        ValueError: A number of one of upstream's steps is out of its range; upstream would train
            on with it, or fail inside OpenCV.
    """
    steps = list(steps.values() if isinstance(steps, dict) else steps)
    for step in filter(lambda step: isinstance(step, dict), steps):
        name = str(step.get('type')).rpartition('.')[2]
        for key, allowed in UPSTREAM_STEPS.get(name, {}).items():
            if key in step:
                allowed.check(**{f'{key} of {name}': step[key]})
    return steps
