"""Measure a teacher on the holdout: fit its weightings, and say how good it is.

Shape legend: N = holdout clips, M = experts, K = classes.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from mmaction.utils import SampleList
from mmengine.dist import all_gather_object
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from ..data_checks import check_loader
from ..labels import task_labels
from ..metrics import expected_calibration_error, negative_log_likelihood, top_k_accuracy
from ..models import MultimodalTeacher
from ..models.teacher_protocol import Stored, Teacher
from .diagnosis import expert_warnings


class HoldoutLogits(NamedTuple):
    """The experts' answers on the holdout, in the data set's order, on the CPU."""

    expert_logits: dict[str, Tensor]  # task -> (N, M, K); of a student (N, K)
    labels: dict[str, Tensor]  # task -> (N,)


def fit_on_holdout(
    runner: Runner, teacher: Teacher, dataloader: dict[str, Any] | None
) -> HoldoutLogits | None:
    """Ask the experts about the holdout, fit the weightings, log experts, teacher and weights.

    Without a `dataloader`, the config's top-level `holdout_dataloader` counts.

    Returns:
        What the experts said, or None where there is no holdout.

    Raises:
        ValueError: The weightings need a holdout and there is none.
    """
    if not teacher.live:
        return use_holdout(runner, teacher, teacher.holdout)
    loader = holdout_loader(runner, dataloader)
    if loader is None:
        if teacher.needs_holdout:
            raise ValueError(
                'The weighting is fitted on a holdout, but there is no holdout_dataloader: give '
                'the hook one, or use mmdistill.UniformWeighting.'
            )
        return None
    check_loader('holdout_dataloader', loader, teacher)
    runner.logger.info(f'Teacher: measuring the experts on {len(loader.dataset)} holdout clips.')
    return use_holdout(runner, teacher, collect_holdout(teacher, loader, len(loader.dataset)))


def use_holdout(
    runner: Runner,
    teacher: Teacher,
    found: Stored | None,
) -> HoldoutLogits | None:
    """As `fit_on_holdout`, with what the experts have said already: logits and labels by task."""
    if found is None:
        if teacher.needs_holdout:
            raise ValueError(
                'The weighting is fitted on a holdout, but the teacher cache was written without '
                'one: add a holdout_dataloader and write it again, or use '
                'mmdistill.UniformWeighting.'
            )
        return None
    holdout = HoldoutLogits(*found)
    teacher.fit_weighting(holdout.expert_logits, holdout.labels)
    report = holdout_report(teacher, holdout)
    for line in report_lines(report):
        runner.logger.info(line)
    for name, row in report.items():
        runner.visualizer.add_scalars({f'holdout/{name}/{key}': row[key] for key in row})
    for task, logits_NMK in holdout.expert_logits.items():
        for name, logits_NK in zip(teacher.experts, logits_NMK.unbind(1), strict=True):
            for warning in expert_warnings(name, task, logits_NK, holdout.labels[task]):
                runner.logger.warning(warning)
    return holdout


def holdout_loader(runner: Runner, dataloader: dict[str, Any] | None) -> DataLoader[Any] | None:
    """The loader of the holdout: of the hook's own config, or of the run's; None without either."""
    dataloader = dataloader or runner.cfg.get('holdout_dataloader')
    return dataloader and runner.build_dataloader(dict(dataloader), seed=runner.seed)


def collect_holdout(
    teacher: MultimodalTeacher, batches: Iterable[dict[str, Any]], num_clips: int
) -> HoldoutLogits:
    """Expert logits and labels of the holdout clips, the same on every rank.

    A clip that lacks what an expert reads would speak against that expert, so only clips on which
    all of them answer count; how many do not is logged.

    Args:
        teacher: The teacher.
        batches: This rank's share, as MMEngine's DefaultSampler deals it out.
        num_clips: Size of the holdout; the sampler's padding beyond it is dropped.

    Raises:
        ValueError: The holdout is empty, or every clip lacks something.
    """

    def answer(batch: dict[str, Any]) -> dict[str, Tensor]:
        return teacher.run_experts(teacher.data_preprocessor(batch, False)['inputs'])

    def complete(data_samples: SampleList) -> list[bool]:
        return teacher.available(data_samples).all(dim=1).tolist()

    return collect_logits(answer, batches, num_clips, complete)


@torch.no_grad()
def collect_logits(
    answer: Callable[[dict[str, Any]], dict[str, Tensor]],
    batches: Iterable[dict[str, Any]],
    num_clips: int,
    counts: Callable[[SampleList], list[bool]] | None = None,
) -> HoldoutLogits:
    """As `collect_holdout`, for any model: `answer` gives task -> (B, ...) for a batch.

    Args:
        answer: See above.
        batches: As `collect_holdout` takes them.
        num_clips: As `collect_holdout` takes it.
        counts: Which clips of a batch are kept; None for all.
    """
    if num_clips == 0:
        raise ValueError('The holdout is empty: raise its ratio in the data set, or fix its split.')
    mine = []
    for batch in batches:
        logits, labels = answer(batch), task_labels(batch['data_samples'])
        kept = counts(batch['data_samples']) if counts else [True] * len(batch['data_samples'])
        for i, keep in enumerate(kept):
            clip = {task: (logits[task][i].cpu(), labels[task][i].cpu()) for task in logits}
            mine.append(clip if keep else {})
    # The sampler deals clips to the ranks in turn, so zipping the ranks restores the order.
    by_rank = all_gather_object(mine)
    every = [clip for turn in zip(*by_rank, strict=True) for clip in turn][:num_clips]
    clips = [clip for clip in every if clip]
    if not clips:
        raise ValueError(
            f'None of the {num_clips} holdout clips has all modalities that the experts read: '
            'hold out clips that have them, or use mmdistill.UniformWeighting without a holdout.'
        )
    if len(clips) < len(every):
        print_log(
            f'Holdout: {len(every) - len(clips)} of {len(every)} clips lack a modality of an '
            'expert and do not count for the weights.',
            'current',
        )
    return HoldoutLogits(
        {task: torch.stack([clip[task][0] for clip in clips]) for task in clips[0]},
        {task: torch.stack([clip[task][1] for clip in clips]) for task in clips[0]},
    )


def fuse_holdout(teacher: Teacher, holdout: HoldoutLogits) -> dict[str, Tensor]:
    """The teacher's logits on the holdout: task -> (N, K)."""
    return {
        task: teacher.weightings[task].fused(x, holdout.labels[task])
        for task, x in holdout.expert_logits.items()
    }


def holdout_report(teacher: Teacher, holdout: HoldoutLogits) -> dict[str, dict[str, float]]:
    """Accuracy, ECE, NLL and weight per task, for each expert and for the fused teacher."""
    rows: dict[str, dict[str, float]] = {name: {} for name in [*teacher.experts, 'teacher']}
    for task, logits_NMK in holdout.expert_logits.items():
        labels_N = holdout.labels[task]
        weighting = teacher.weightings[task]
        weights = weighting.weights(weighting.scaled(logits_NMK), labels_N)
        fused_NK = weighting.fused(logits_NMK, labels_N)
        mean_weights_M = weights.expand(logits_NMK.shape[:2]).mean(dim=0)
        for m, name in enumerate(teacher.experts):
            rows[name].update(_figures(task, logits_NMK[:, m], labels_N))
            rows[name][f'weight/{task}'] = float(mean_weights_M[m])
        rows['teacher'].update(_figures(task, fused_NK, labels_N))
    return rows


def _figures(task: str, logits_NK: Tensor, labels_N: Tensor) -> dict[str, float]:
    probs_NK = logits_NK.double().softmax(-1)
    return {
        f'acc/{task}/top1': top_k_accuracy(logits_NK, labels_N, 1),
        f'calibration/{task}/ece': expected_calibration_error(probs_NK, labels_N),
        f'calibration/{task}/nll': negative_log_likelihood(logits_NK, labels_N),
    }


def report_lines(report: dict[str, dict[str, float]]) -> list[str]:
    """The report as log lines, one per expert and one for the teacher."""
    return [
        f'Holdout {name}: ' + '  '.join(f'{key} {value:.4f}' for key, value in row.items())
        for name, row in report.items()
    ]
