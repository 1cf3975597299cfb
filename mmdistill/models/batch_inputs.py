"""What one model reads of a batch: a single stream, or several under the model's own names."""

from typing import Any

from mmaction.utils import SampleList
from torch import Tensor

# A batch key, or for MMAction2's multimodal recognizers the name of each input -> batch key.
Reads = str | dict[str, str]


def batch_keys(reads: Reads) -> list[str]:
    """The batch keys that a model reads."""
    return [reads] if isinstance(reads, str) else list(reads.values())


def inputs_of(inputs: Any, reads: Reads, reader: str, advice: str = '') -> Any:
    """The part of a collated batch's `inputs` that a model reads, in a container of its own.

    Args:
        inputs: A dict from modality to clips; anything else is a unimodal batch, read as it is.
        reads: A key, for one stream; or input name -> key, for recognizers with several.
        reader: Who reads, the beginning of an error's sentence.
        advice: What else one may do, the end of that sentence.

    Raises:
        KeyError: The batch lacks a modality.
    """
    if not isinstance(inputs, dict):
        return inputs
    missing = [key for key in batch_keys(reads) if key not in inputs]
    if missing:
        raise KeyError(
            f'{reader} reads {missing[0]!r}, but the batch has only {sorted(inputs)}; add it to '
            f'LoadModalities and PackModalities{advice}.'
        )
    if isinstance(reads, str):
        return inputs[reads]
    return {name: inputs[key] for name, key in reads.items()}


def availability(data_samples: SampleList | None, reads: Reads) -> list[dict[str, bool]]:
    """Which of its inputs a model finds in each clip, under the model's own names for them."""
    names = {reads: reads} if isinstance(reads, str) else reads
    return [
        {name: sample.metainfo.get('available', {}).get(key, True) for name, key in names.items()}
        for sample in data_samples or ()
    ]


def check_present(data_samples: SampleList | None, reads: Reads, reader: str) -> None:
    """Raise ValueError where a clip has nothing that a model reads; names it."""
    for sample, there in zip(data_samples or (), availability(data_samples, reads), strict=True):
        if not any(there.values()):
            raise ValueError(
                f'{reader} reads {" and ".join(batch_keys(reads))}, but clip '
                f'{sample.metainfo.get("sample_id", "?")!r} has none of them: leave it out '
                "(filter_cfg=dict(media=[…])), or drop less (ModalityDropout, 'available')."
            )


def num_clips(inputs: Tensor | dict[str, Tensor]) -> int:
    """B of preprocessed inputs, whether they are one stream or several."""
    return len(next(iter(inputs.values())) if isinstance(inputs, dict) else inputs)
