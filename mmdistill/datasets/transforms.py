"""Pipeline steps: load every modality of a clip under one geometry, and pack them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.datasets.transforms import PackActionInputs
from mmcv.transforms import BaseTransform, Compose

from ..labels import set_task_labels
from ..modalities import ClipGeometry
from ..registry import MODALITIES, TRANSFORMS

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


@TRANSFORMS.register_module()
class LoadModalities(BaseTransform):
    """Read several modalities of a clip at the same frames, moved by the same geometry.

    MMAction2's geometric transforms are run on a blank frame, once. What they drew (crop, flip,
    size) then moves every modality, so a point under an RGB crop is the same point in flow and
    boxes by construction, and frames are cut and resized in one step.

    Required keys: a record (`sample_id`, `media`, …), `frame_inds`, `num_clips`, `clip_len`.
    Added keys: one per modality, `geometry`, `img_shape`, `available`.

    Args:
        modalities: Batch key to the config of a registered modality. The first one's frames are
            those in which the geometry is drawn.
        geometry: MMAction2's Resize, RandomResizedCrop, MultiScaleCrop, CenterCrop, ThreeCrop,
            Flip in the usual order (flip last).
    """

    def __init__(self, modalities: dict[str, dict], geometry: Sequence[dict] = ()) -> None:
        if not modalities:
            raise ValueError('LoadModalities got no modalities; give at least one.')
        self.modalities = {key: MODALITIES.build(cfg) for key, cfg in modalities.items()}
        self.geometry = Compose(list(geometry))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Draw the geometry, then load each modality under it."""
        geometry = self._draw(results)
        frame_inds_VT = results['frame_inds'].reshape(-1, results['clip_len'])
        for key, modality in self.modalities.items():
            results[key] = modality.load(results, frame_inds_VT, geometry)
        results['available'] = {
            key: modality.available(results) for key, modality in self.modalities.items()
        }
        results['geometry'] = geometry
        results['img_shape'] = geometry.size
        return results

    def _draw(self, results: dict[str, Any]) -> ClipGeometry:
        present = (m for m in self.modalities.values() if m.available(results))
        reference = next(present, None)
        if reference is None:
            raise FileNotFoundError(
                f'Clip {results["sample_id"]!r} has none of the modalities '
                f'{sorted(self.modalities)}; remove it from the annotation file.'
            )
        height, width = reference.frame_shape(results)
        blank = dict(
            imgs=[np.zeros((height, width, 3), dtype=np.uint8)],
            img_shape=(height, width),
            original_shape=(height, width),
            modality='RGB',
        )
        return ClipGeometry.from_results(self.geometry(blank))


@TRANSFORMS.register_module()
class PackModalities(PackActionInputs):
    """Pack the loaded modalities and the label of a clip.

    Args:
        keys: Batch keys for a multimodal model (inputs become a dict), or one key for a unimodal
            recognizer (inputs become a tensor, as upstream's recognizers expect).
        meta_keys: Record entries that travel in the sample's metainfo where present.
    """

    def __init__(self, keys: str | Sequence[str], meta_keys: Sequence[str] = META_KEYS) -> None:
        self.single = keys if isinstance(keys, str) else None
        collect_keys = (keys,) if isinstance(keys, str) else tuple(keys)
        super().__init__(collect_keys=collect_keys, meta_keys=meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return `inputs` and `data_samples`."""
        missing = sorted(set(self.collect_keys) - results.keys())
        if missing:
            raise KeyError(
                f'PackModalities should pack {missing}, which no step has loaded; add them to '
                'LoadModalities(modalities=…) or remove them from keys.'
            )
        label = results.get('label')
        packed = super().transform({k: v for k, v in results.items() if k != 'label'})
        if label is not None:
            set_task_labels(packed['data_samples'], label)
        if self.single is not None:
            packed['inputs'] = packed['inputs'][self.single]
        return packed
