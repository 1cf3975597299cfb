"""Walk the data that a config will read, before a training does: problems, classes, holdout."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmdistill.config_summary import loader_lines, mirrored_classes
from mmdistill.datasets import MultimodalDataset
from mmdistill.datasets.transforms import LoadModalities
from mmdistill.joint_actions import ACTION
from mmdistill.modalities import Modality
from mmdistill.registry import DATASETS

from .check_clips import Complete, Problem, VideoFindings, check_video, message_of
from .check_pool import VideoTask, check_videos

LOADERS = ('train', 'holdout', 'val', 'test')


@dataclass
class LoaderPlan:
    """A data set of the config, and which of its clips are looked at.

    Args:
        name: 'train', or 'val, test' where two loaders read the same.
        modalities: Those that its pipeline loads.
        loader: The config of the loader.
        dataset: The whole data set.
        class_counts: Task -> number of clips of each class.
        records: The clips to look at.
        complete: `MultimodalDataset.complete` of the data set, for these.
        split: 'train', 'holdout' or None, as the data set has it.
    """

    name: str
    modalities: dict[str, Modality]
    loader: Mapping[str, Any]
    dataset: MultimodalDataset
    class_counts: dict[str, list[int]]
    records: list[dict[str, Any]]
    complete: Complete
    split: str | None = None

    @property
    def num_clips(self) -> int:
        """Of the whole data set."""
        return len(self.dataset)


@dataclass
class DataReport:
    """The findings: of the annotations first, then of the media."""

    plans: list[LoaderPlan] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    absent: dict[str, Counter[str]] = field(default_factory=dict)
    num_checked: int = 0

    def add(self, plan: LoaderPlan, found: VideoFindings) -> None:
        """Take in what was found in some clips."""
        self.problems += found.problems
        self.absent.setdefault(plan.name, Counter()).update(found.absent)
        self.notes.update(found.notes)
        self.num_checked += found.num_clips

    def as_dict(self) -> dict[str, Any]:
        """Everything, for a JSON file."""
        loaders = {
            plan.name: dict(
                num_clips=plan.num_clips,
                num_checked=len(plan.records),
                modalities=sorted(plan.modalities),
                class_counts=plan.class_counts,
                absent=dict(self.absent.get(plan.name, {})),
            )
            for plan in self.plans
        }
        problems = [problem._asdict() for problem in self.problems]
        return dict(loaders=loaders, problems=problems, notes=dict(self.notes))


def plan_check(cfg: Config, num: int | None = None, seed: int = 0) -> DataReport:
    """Read the annotations of every data loader, and choose the clips to look at.

    Args:
        cfg: A training config.
        num: Clips per loader, drawn at random; None takes all.
        seed: Of the draw.

    Raises:
        ValueError: The config has no loader of a `MultimodalDataset`.
    """
    init_default_scope('mmaction')
    by_dataset: list[tuple[list[str], dict[str, Any]]] = []
    for name in LOADERS:
        loader = cfg.get(f'{name}_dataloader') or {}
        dataset = _dataset_of(loader)
        same = next((names for names, other in by_dataset if _dataset_of(other) == dataset), None)
        if dataset and same is None:
            by_dataset.append(([name], loader))
        elif dataset:
            same.append(name)
    if not by_dataset:
        raise ValueError('The config has no train, holdout, val or test dataloader to look at.')
    report = DataReport()
    outputs = _num_classes(cfg.get('model') or {})
    for names, loader in by_dataset:
        _plan_loader(', '.join(names), loader, outputs, (num, seed), report)
    return report


def run_check(report: DataReport, num_frames: int = 8, workers: int = 0) -> Iterator[int]:
    """Look at the clips of `report.plans` and put the findings into it; yields clips done.

    Args:
        num_frames: Frames of each clip that are decoded; 0 decodes all.
        workers: Processes; 0 works in this one.
    """
    plans, tasks = [], []
    for plan in report.plans:
        by_video: dict[str, list[dict[str, Any]]] = {}
        for record in plan.records:
            by_video.setdefault(record['video_id'], []).append(record)
        for records in by_video.values():
            plans.append(plan)
            tasks.append(VideoTask(plan.name, plan.modalities, num_frames, records, plan.complete))
    if workers:
        done = check_videos(tasks, workers)
    else:
        done = ((number, check_video(*task)) for number, task in enumerate(tasks))
    for number, found in done:
        report.add(plans[number], found)
        yield found.num_clips
    report.problems.sort()


def summary_lines(report: DataReport) -> list[str]:
    """What there is, for people: clips, classes, holdout, absent modalities, notes."""
    lines = []
    for plan in report.plans:
        loaded = ' '.join(plan.modalities)
        lines.append(
            f'{plan.name}: {plan.num_clips} clips, {len(plan.records)} looked at ({loaded})'
        )
        for task, counts in plan.class_counts.items():
            there = [count for count in counts if count]
            span = f', {min(there)} to {max(there)} clips each' if there else ''
            lines.append(f'  {task}: {len(there)} of {len(counts)} classes have clips{span}')
        for key, count in sorted(report.absent.get(plan.name, {}).items()):
            lines.append(f'  {key}: {count} clips are without, which `optional` allows')
    sizes = {plan.split: plan.num_clips for plan in report.plans if plan.split}
    if {'train', 'holdout'} <= sizes.keys():
        share = sizes['holdout'] / max(1, sizes['holdout'] + sizes['train'])
        lines.append(f'holdout: {sizes["holdout"]} clips, {share:.1%} of the training annotations')
    lines += [f'note: {text} ({count} videos)' for text, count in report.notes.items()]
    return lines


def seen_lines(report: DataReport) -> list[str]:
    """What a model will see of each data set; shapes are of a clip that was looked at and is sound.

    The last lines warn of training clips that are mirrored though left and right are classes.
    """
    damaged = {(problem.loader, problem.sample_id) for problem in report.problems}
    lines, warnings = [], []
    for plan in report.plans:
        names = [record['sample_id'] for record in plan.records]
        sound = [name for name in names if (plan.name, name) not in damaged]
        lines += loader_lines(plan.name, plan.loader, plan.dataset, sound[0] if sound else None)
        if plan.name.startswith('train'):
            warnings.append(mirrored_classes(plan.loader, plan.dataset))
    return lines + [f'warning: {text}' for text in warnings if text]


def _plan_loader(
    name: str,
    loader: dict[str, Any],
    outputs: Mapping[str, int],
    choice: tuple[Any, ...],
    report: DataReport,
) -> None:
    cfg = _dataset_of(loader)
    kind = DATASETS.get(cfg['type'])
    if kind is None or not issubclass(kind, MultimodalDataset):
        raise ValueError(
            f'The {name} loader reads {cfg["type"]}; the check knows MultimodalDataset and the '
            'data sets made from it.'
        )
    collecting = _collecting(kind)
    options = {key: value for key, value in cfg.items() if key not in ('type', 'lazy_init')}
    try:
        dataset = collecting(**{**options, 'check_media': False})
    # Annotations that cannot be read: say so and look at the other loaders.
    except Exception as error:
        text = f'{message_of(error)} (none of its clips was looked at)'
        report.problems.append(Problem(name, '', '', text))
        return
    report.problems += [Problem(name, '', 'labels', text) for text in collecting.found]
    loads = [step for step in dataset.pipeline.transforms if isinstance(step, LoadModalities)]
    modalities = {key: m for step in loads for key, m in step.modalities.items()}
    parts = (name, modalities, loader, dataset, {}, [], kind.complete)
    plan = LoaderPlan(*parts, split=options.get('split'))
    plan.class_counts = _count_classes(name, dataset, outputs, report.problems)
    num, seed = choice
    chosen = np.arange(len(dataset))
    if num is not None and num < len(dataset):
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, num, replace=False))
    # Not completed yet: that may open the video, which is for the processes that can be lost.
    plan.records = [dataset.plain_record(index) for index in chosen.tolist()]
    report.plans.append(plan)


def _collecting(kind: type[MultimodalDataset]) -> type[MultimodalDataset]:
    """The data set, but a label that is wrong is noted in `found` and left out."""

    class Collecting(kind):
        found: list[str] = []

        def _parse_class(self, *args):
            try:
                return super()._parse_class(*args)
            except ValueError as error:
                self.found.append(message_of(error))

        def _parse_label(self, *args):
            try:
                return super()._parse_label(*args)
            except ValueError as error:
                self.found.append(message_of(error))
                return {}

    Collecting.found = []
    return Collecting


def _count_classes(
    name: str, dataset: MultimodalDataset, outputs: Mapping[str, int], problems: list[Problem]
) -> dict[str, list[int]]:
    """Clips per class; labels that the model has no output for become problems."""
    counts: dict[str, Counter[str]] = {}
    for index in range(len(dataset)):
        record = dataset.plain_record(index)
        label = record.get('label')
        labels = label if isinstance(label, dict) else {ACTION: label}
        for task, value in labels.items():
            if value is None:
                continue
            counts.setdefault(task, Counter())[value] += 1
            if value >= outputs.get(task, value + 1):
                text = f'{task} class {value}, but the model has {outputs[task]} outputs'
                problems.append(Problem(name, record['sample_id'], 'labels', text))
    result = {}
    for task, found in counts.items():
        known = dataset.classes.get(task)
        result[task] = [found[k] for k in range(len(known) if known else max(found) + 1)]
    return result


def _dataset_of(loader: Mapping[str, Any]) -> dict[str, Any] | None:
    """The data set of a loader, out of wrappers such as RepeatDataset."""
    dataset = loader.get('dataset')
    while dataset and 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def _num_classes(model: Mapping[str, Any]) -> dict[str, int]:
    """Task -> outputs of the model, as far as its config says."""
    if model.get('tasks'):
        return dict(model['tasks'])
    recognizer = model.get('recognizer') or model
    head = recognizer.get('cls_head') or {}
    heads = head.get('heads') or {ACTION: head}
    return {task: h['num_classes'] for task, h in heads.items() if 'num_classes' in h}
