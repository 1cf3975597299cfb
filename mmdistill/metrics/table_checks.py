"""Whether a table of scores can be judged at all; what is wrong with it is named.

Shape legend: N = samples, V = views of a clip, K = classes.
"""

import numpy as np

from .score_table import ScoreTable


def check_table(table: ScoreTable, source: str) -> None:
    """Check that there are samples, each once, that scores are finite and labels are classes.

    Args:
        table: The scores; labels may lack, as in a dump of clips without labels.
        source: Where they come from, for the message.

    Raises:
        ValueError: They are not; names the first sample that is wrong.
    """
    ids = table.sample_ids
    if ids.shape == (0,):
        raise ValueError(f'{source} is empty: test on a split that has clips.')
    if ids.ndim != 1 or ids.dtype.kind != 'U':
        raise ValueError(
            f'{source} has sample_ids of {ids.dtype} and shape {ids.shape}; expected texts (N,).'
        )
    names, counts = np.unique(ids, return_counts=True)
    if counts.max() > 1:
        raise ValueError(f'{source} has sample {str(names[counts.argmax()])!r} more than once.')
    for name, array_N in {'groups': table.groups, **table.flags}.items():
        if array_N.shape != ids.shape:
            raise ValueError(
                f'{source} has {name} of shape {array_N.shape} for {len(names)} clips; '
                'expected (N,).'
            )
    for name, array_N in table.flags.items():
        if array_N.dtype.kind != 'b':
            raise ValueError(f'{source} has the flag {name} of {array_N.dtype}; expected bool.')
    if table.labels and set(table.labels) != set(table.scores):
        raise ValueError(
            f'{source} has logits of {sorted(table.scores)}, but labels of {sorted(table.labels)}; '
            'expected the same tasks, or no labels.'
        )
    for task, scores_NVK in table.scores.items():
        _check_scores(source, task, ids, scores_NVK)
        if table.labels:
            _check_labels(source, task, ids, scores_NVK, table.labels[task])


def _check_scores(source: str, task: str, ids: np.ndarray, scores_NVK: np.ndarray) -> None:
    if scores_NVK.ndim != 3 or len(scores_NVK) != len(ids) or not scores_NVK.size:
        raise ValueError(
            f'{source} has {task} logits of shape {scores_NVK.shape} for {len(ids)} clips; '
            'expected (N, V, K) with V, K > 0.'
        )
    if scores_NVK.dtype.kind not in 'fiu':
        raise ValueError(
            f'{source} has {task} logits of {scores_NVK.dtype}; expected real numbers.'
        )
    # Dumps hold float32; what does not fit would become infinite where it is summed.
    finite_N = (np.abs(scores_NVK) <= np.finfo(np.float32).max).all(axis=(1, 2))
    if not finite_N.all():
        raise ValueError(
            f'{source} has NaN or infinite {task} logits for {(~finite_N).sum()} samples, the '
            f'first is {str(ids[np.argmin(finite_N)])!r}: look for divergence in the model.'
        )


def _check_labels(
    source: str, task: str, ids: np.ndarray, scores_NVK: np.ndarray, labels_N: np.ndarray
) -> None:
    if labels_N.shape != ids.shape:
        raise ValueError(
            f'{source} has {task} labels of shape {labels_N.shape} for {len(ids)} clips; '
            'expected (N,).'
        )
    if labels_N.dtype.kind not in 'iu':
        raise ValueError(f'{source} has {task} labels of {labels_N.dtype}; expected integers.')
    known_N = (labels_N >= 0) & (labels_N < scores_NVK.shape[2])
    if not known_N.all():
        wrong = np.argmin(known_N)
        raise ValueError(
            f'{source} gives sample {str(ids[wrong])!r} the {task} label {labels_N[wrong]}, '
            f'outside the {scores_NVK.shape[2]} classes of its logits.'
        )
