"""Video models of Hugging Face transformers as backbones and as finished classifiers.

A model is a folder or a name on the hub; weights are read from safetensors, and no code of theirs
is run. `pip install 'mmdistill[hf]'`.
Shape legend: N = clips times views, C = channels, T = frames, L = tokens, D = width, K = classes.
"""

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmaction.models import ActionDataPreprocessor, BaseHead
from mmengine.model import BaseModule
from torch import Tensor

from ..datasets.annotation_csv import read_class_names
from ..extras import require
from ..files import read_json
from ..registry import MODELS

SETTINGS = ('preprocessor_config.json', 'video_preprocessor_config.json')
MOST_NAMED = 5


def from_hub(source: str, read: Callable[[str], Any]) -> Any:
    """What `read` makes of a model's folder or name.

    Raises:
        FileNotFoundError: It is no folder, and neither in the cache nor to be downloaded.
    """
    require('hf', 'transformers')
    try:
        return read(source)
    except OSError as error:
        from huggingface_hub.constants import HF_HUB_CACHE

        reason = ' '.join(str(error).split())[:200]
        raise FileNotFoundError(
            f'There is no model {source!r}: no folder {Path(source).absolute()} with its files, '
            f'and not in {HF_HUB_CACHE} ({reason}). Download it where there is a network '
            f'(`hf download {source}`), or give the folder.'
        ) from error


def _settings(source: str) -> dict[str, Any]:
    """How its image or video processor prepares frames, as JSON says."""

    def read(source: str) -> dict[str, Any]:
        from transformers.utils.hub import cached_file

        quiet = dict(_raise_exceptions_for_missing_entries=False)
        paths = (cached_file(source, name, **quiet) for name in SETTINGS)
        path = next((path for path in paths if path), None)
        if path is None:
            raise OSError(f'it has none of {", ".join(SETTINGS)}')
        found: dict[str, Any] = json.loads(Path(path).read_text(encoding='utf-8'))
        return found

    settings: dict[str, Any] = from_hub(source, read)
    return settings


@MODELS.register_module()
class HuggingFacePreprocessor(ActionDataPreprocessor):
    """Normalise and resize clips as the model's own image processor does.

    Args:
        model: Folder or name of the model.
        kwargs: See MMAction2's `ActionDataPreprocessor`.

    Raises:
        FileNotFoundError: There is no such model.
    """

    def __init__(self, model: str, **kwargs: Any) -> None:
        settings = _settings(model)
        factor = settings.get('rescale_factor', 1 / 255) if settings.get('do_rescale', True) else 1
        mean, std = (
            [value / factor for value in settings.get(name, default)]
            for name, default in (('image_mean', [0.5] * 3), ('image_std', [0.5] * 3))
        )
        super().__init__(**{**dict(mean=mean, std=std, format_shape='NCTHW'), **kwargs})
        self.size = _size(settings)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """As upstream's; inputs (B, V, C, T, H, W) get the size that the model expects."""
        data = super().forward(data, training)
        data['inputs'] = resized(data['inputs'], self.size)
        return data


def _size(settings: dict[str, Any]) -> tuple[int, int]:
    asked = settings.get('crop_size') if settings.get('do_center_crop', True) else None
    asked = asked or settings.get('size') or 224
    if isinstance(asked, int):
        return asked, asked
    side = asked.get('shortest_edge')
    return (side, side) if side else (asked['height'], asked['width'])


def resized(clips: Tensor, size: tuple[int, int]) -> Tensor:
    """Clips (…, T, H, W) with frames of another height and width."""
    if tuple(clips.shape[-2:]) == size:
        return clips
    frames = clips.flatten(0, -3)[:, None]
    scaled = F.interpolate(frames, size, mode='bilinear', antialias=True, align_corners=False)
    return scaled.reshape(*clips.shape[:-2], *size)


@MODELS.register_module()
class HuggingFaceVideo(BaseModule):
    """A video model of transformers as the backbone of a stock `Recognizer3D`.

    VideoMAE, TimeSformer, ViViT, V-JEPA 2 and what else `AutoModel` knows and takes
    (N, T, C, H, W).

    Args:
        model: Folder or name on the hub.
        classifier: Take the finished classifier, whose logits (N, K) are the features; for
            `NamedClassesHead`.
        frozen: Whether it stays as it is: no gradients, always in evaluation.
        pretrained: False builds it with random weights; only its config is read.
        init_cfg: MMEngine's initialisation config.

    Raises:
        FileNotFoundError: There is no such model.
    """

    def __init__(
        self,
        model: str,
        classifier: bool = False,
        frozen: bool = False,
        pretrained: bool = True,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        require('hf', 'transformers')
        import transformers

        transformers.logging.set_verbosity_error()
        kind = (
            transformers.AutoModelForVideoClassification if classifier else transformers.AutoModel
        )
        config = from_hub(model, transformers.AutoConfig.from_pretrained)
        if pretrained:
            read = _safe_reader(kind)
            self.network = from_hub(model, read)
        else:
            self.network = kind.from_config(config)
        self.name, self.classifier, self.frozen = model, classifier, frozen
        found = (getattr(config, name, None) for name in ('frames_per_clip', 'num_frames'))
        self.num_frames = next((number for number in found if number), None)
        # V-JEPA's predictor is for its pretraining.
        self.options = {'skip_predictor': True} if config.model_type == 'vjepa2' else {}
        if frozen:
            self.requires_grad_(False)
            self.train(False)

    def init_weights(self) -> None:
        """Nothing: it has its weights already."""

    def train(self, mode: bool = True) -> 'HuggingFaceVideo':
        """A frozen one ignores `mode`."""
        return super().train(mode and not self.frozen)

    def forward(self, clips: Tensor) -> Tensor:
        """Tokens (N, D, L, 1, 1) of clips (N, C, T, H, W); of a classifier its logits (N, K).

        Raises:
            ValueError: The model was made for another number of frames.
        """
        if self.num_frames not in (None, clips.shape[2]):
            raise ValueError(
                f'{self.name} reads clips of {self.num_frames} frames, these have '
                f'{clips.shape[2]}: set clip_len={self.num_frames} in SampleFrames, or in the '
                'modality.'
            )
        inputs = {self.network.main_input_name: clips.transpose(1, 2), **self.options}
        if self.classifier:
            inputs.pop('skip_predictor', None)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            found = self.network(**inputs)
        if self.classifier:
            return found.logits
        return found.last_hidden_state.transpose(1, 2)[..., None, None]


def _safe_reader(kind: Any) -> Callable[[str], Any]:
    def read(source: str) -> Any:
        return kind.from_pretrained(source, use_safetensors=True, trust_remote_code=False)

    return read


@MODELS.register_module()
class NamedClassesHead(BaseHead):
    """Put the logits of a finished classifier into our classes, by name; nothing is learned.

    Args:
        model: Folder or name of the classifier, whose config names its classes.
        classes: Our names in order, a CSV with `id, name`, or a JSON of name to number as
            Something-Something V2 has it; relative to the current folder.
        average_clips: See MMAction2's BaseHead.

    Raises:
        FileNotFoundError: There is no such model or file.
        ValueError: A class of ours is not among theirs; says which names do not match.
    """

    def __init__(
        self, model: str, classes: Sequence[str] | str, average_clips: str | None = 'score'
    ) -> None:
        require('hf', 'transformers')
        from transformers import AutoConfig

        ours = class_list(classes)
        super().__init__(len(ours), in_channels=1, average_clips=average_clips)
        labels = from_hub(model, AutoConfig.from_pretrained).id2label
        theirs = [labels[k] for k in sorted(labels)]
        self.register_buffer('columns', torch.tensor(matched(ours, theirs, model)), False)

    def forward(self, x: Tensor, **kwargs: Any) -> Tensor:
        """Their logits (N, K') as ours, (N, K)."""
        return x[:, self.columns]


def class_list(classes: Sequence[str] | str) -> list[str]:
    """Class names in the order of their numbers, from a list, a CSV or a JSON file."""
    if not isinstance(classes, str):
        return list(classes)
    if os.path.splitext(classes)[1] == '.json':
        numbers = read_json(classes, dict, 'give a JSON of class name to number')
        return sorted(numbers, key=lambda name: int(numbers[name]))
    return read_class_names(classes, ('key', 'name'))


def matched(ours: Sequence[str], theirs: Sequence[str], model: str) -> list[int]:
    """For each of our classes, the number of theirs; case, brackets and signs do not count.

    Raises:
        ValueError: One of ours is missing there, or two of theirs have one name.
    """
    places: dict[str, int] = {}
    for number, name in enumerate(theirs):
        if places.setdefault(_plain(name), number) != number:
            raise ValueError(f'{model} calls two classes {name!r}: they cannot be told by name.')
    missing = [name for name in ours if _plain(name) not in places]
    if missing:
        known = {_plain(name) for name in ours}
        others = [name for name in theirs if _plain(name) not in known]
        raise ValueError(
            f'{len(missing)} of our {len(ours)} classes are not among the {len(theirs)} of {model}'
            f': {_named(missing)}; theirs that match none of ours: {_named(others) or "none"}. '
            'Rename them in the class file, or train a head on the backbone.'
        )
    return [places[_plain(name)] for name in ours]


def _plain(name: str) -> str:
    return ' '.join(re.findall(r'\w+', name.casefold()))


def _named(names: Sequence[str]) -> str:
    shown = ', '.join(repr(name) for name in names[:MOST_NAMED])
    return shown + (f', … ({len(names)})' if len(names) > MOST_NAMED else '')
