"""Temperature scaling: one number per task, fitted on clips that the model was not trained on.

Guo et al., *On Calibration of Modern Neural Networks*, 2017, sec. 4.2. It moves confidences and
leaves every answer of a task as it is. https://arxiv.org/abs/1706.04599
Shape legend: N = samples, K = classes.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..ranges import POSITIVE
from .score_arrays import Array, as_float64, checked_scores
from .score_table import ScoreTable

# Where every answer is right the best temperature is 0, where logits say less than nothing it is
# infinite; the search ends here.
LOWEST, HIGHEST = 1e-3, 1e3
STEPS = 60  # halvings of log T: as exact as a float64


def fit_temperature(logits_NK: Array, labels_N: Array) -> float:
    """The T > 0 that minimises the negative log-likelihood of softmax(logits / T).

    The likelihood is log-concave in 1 / T, so its slope is bisected over log T. The result lies
    between `LOWEST` and `HIGHEST`, at one of them where there is no best T inside.

    Args:
        logits_NK: Logits averaged over the views, before any temperature.
        labels_N: Class indices.

    Raises:
        ValueError: Fewer than two classes, no samples, NaN or infinite logits, or labels out of
            range (naming the sample).
    """
    logits_NK, labels_N = checked_scores(logits_NK, labels_N)
    if logits_NK.shape[1] < 2:
        raise ValueError(f'A temperature needs at least two classes, got {logits_NK.shape[1]}.')
    # Only differences of logits count; below the largest nothing overflows.
    below_NK = logits_NK - logits_NK.max(axis=1, keepdims=True)
    target = np.take_along_axis(below_NK, labels_N[:, None], axis=1).mean()
    low, high = np.log(LOWEST), np.log(HIGHEST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        if _mean_logit(below_NK, np.exp(middle)) <= target:
            high = middle  # the labels' logits are larger than expected: sharpen
        else:
            low = middle
    return float(np.exp((low + high) / 2))


def fit_temperatures(table: ScoreTable) -> dict[str, float]:
    """Task to its temperature, from a dump of the holdout: logits averaged over the views.

    The action of verb + noun data has none of its own: verb and noun are scaled before their
    log-probabilities are added.

    Raises:
        ValueError: The clips have no labels, or as `fit_temperature`.
    """
    if not table.labels:
        raise ValueError('The clips have no labels; fit temperatures on a labelled holdout.')
    return {
        task: fit_temperature(table.mean_scores(task), labels_N)
        for task, labels_N in table.labels.items()
    }


def divided_by_temperature(table: ScoreTable, temperatures: Mapping[str, float]) -> ScoreTable:
    """The table with the logits of every task divided by its temperature.

    Raises:
        ValueError: A task has no temperature, a temperature has no task, or one is not positive.
    """
    check_temperatures(temperatures, list(table.scores))
    scores = {t: as_float64(x) / temperatures[t] for t, x in table.scores.items()}
    return replace(table, scores=scores)


def check_temperatures(temperatures: Mapping[str, float], tasks: list[str]) -> None:
    """Raise ValueError unless there is one positive temperature for each of the tasks."""
    if set(temperatures) != set(tasks):
        raise ValueError(
            f'The model answers {sorted(tasks)}, but the temperatures are those of '
            f'{sorted(temperatures)}: fit them with mmdistill temperature-scaling on the '
            'holdout of this data set.'
        )
    wrong = {task: value for task, value in temperatures.items() if value not in POSITIVE}
    if wrong:
        raise ValueError(f'A temperature is a positive number, got {wrong}.')


def _mean_logit(logits_NK: np.ndarray, temperature: float) -> float:
    """Mean over samples of the logit that softmax(logits / T) expects."""
    weights_NK = np.exp(logits_NK / temperature)
    return float(((weights_NK * logits_NK).sum(axis=1) / weights_NK.sum(axis=1)).mean())
