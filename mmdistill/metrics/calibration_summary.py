"""All calibration errors of a test set from a few numbers per sample, with bootstrap intervals.

Shape legend: N = samples, K = classes, R = resamples.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .answers import Answer, Answers, ProbabilitySums, as_columns, read_answers
from .bootstrap import (
    Interval,
    Resamples,
    every_clip_once,
    percentile_interval,
    resample_groups,
)
from .calibration_error import ReliabilityBins, bin_top_label
from .classwise import classwise_errors
from .score_table import ScoreKind, ScoreTable, log_probabilities
from .weighted_errors import (
    TopLabel,
    equal_mass_error,
    equal_width_errors,
    risk_coverage_area,
    weighted_mean,
)


class CalibrationSummary(NamedTuple):
    """A test set as far as calibration looks at it.

    Args:
        groups_N: The group of each sample, usually its video.
        answers: Task to the answers, in the order of the samples.
        sums: Sums of the probabilities over the same samples.
        num_bins: Bins of the confidence.
    """

    groups_N: np.ndarray
    answers: dict[str, Answers]
    sums: ProbabilitySums
    num_bins: int

    def errors(self) -> dict[str, float]:
        """`<task>/<name>` of every task and error."""
        once = every_clip_once(self.groups_N if self.sums.by_group else [''] * len(self.groups_N))
        return {name: float(values_R[0]) for name, values_R in self._errors(once).items()}

    def intervals(
        self, num_resamples: int = 1000, level: float = 0.95, seed: int = 0
    ) -> dict[str, Interval]:
        """The same with intervals of a bootstrap over the groups.

        Raises:
            ValueError: There are fewer than two groups, or the level is not in (0, 1).
        """
        resamples = resample_groups(self.groups_N, num_resamples, seed)
        means = self.errors()
        return {
            name: percentile_interval(means[name], values_R, level)
            for name, values_R in self._errors(resamples).items()
        }

    def reliability(self) -> dict[str, ReliabilityBins]:
        """The reliability diagram of every task."""
        return {
            task: bin_top_label(TopLabel(answers.confidence_N, answers.correct_N), self.num_bins)
            for task, answers in self.answers.items()
        }

    def _errors(self, resamples: Resamples) -> dict[str, np.ndarray]:
        found = {}
        for task, answers in self.answers.items():
            parts = [_errors_of(answers, part, self.num_bins) for part in resamples.parts()]
            by_name = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
            by_name['classwise_ece'] = classwise_errors(
                self.sums.of(task, resamples.names_G),
                answers.above,
                answers.labels,
                resamples,
                self.num_bins,
            )
            found.update({f'{task}/{name}': values_R for name, values_R in by_name.items()})
        return found


def _errors_of(answers: Answers, resamples: Resamples, num_bins: int) -> dict[str, np.ndarray]:
    top, weights_RN = TopLabel(answers.confidence_N, answers.correct_N), resamples.weights()
    return {
        **equal_width_errors(top, weights_RN, num_bins),
        'adaptive_ece': equal_mass_error(top, weights_RN, num_bins),
        'nll': weighted_mean(answers.nll_N, weights_RN),
        'brier': weighted_mean(answers.brier_N, weights_RN),
        'aurc': risk_coverage_area(top, weights_RN),
    }


def summary_of_rows(
    groups: Sequence[str] | np.ndarray,
    rows: Sequence[dict[str, Answer]],
    sums: ProbabilitySums,
    num_bins: int,
) -> CalibrationSummary:
    """Put the answers of single samples together."""
    answers = {task: as_columns([row[task] for row in rows]) for task in rows[0]}
    return CalibrationSummary(np.array(groups), answers, sums, num_bins)


def summarise(
    table: ScoreTable, scores: ScoreKind, num_bins: int = 15, by_group: bool = False
) -> CalibrationSummary:
    """The summary of a table of scores, sample by sample.

    Args:
        table: Scores and labels.
        scores: What the scores are.
        num_bins: Bins of the confidence.
        by_group: Whether intervals will be asked for.
    """
    sums, rows = ProbabilitySums(by_group), []
    for i, group in enumerate(table.groups):
        log_probs = {
            task: log_probabilities(scores_NVK[i], scores)
            for task, scores_NVK in table.scores.items()
        }
        labels = {task: int(labels_N[i]) for task, labels_N in table.labels.items()}
        sums.add(str(group), log_probs)
        rows.append(read_answers(log_probs, labels, num_bins))
    return summary_of_rows(table.groups, rows, sums, num_bins)
