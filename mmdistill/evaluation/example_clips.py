"""Example clips of a report: what the data set has of them, and what the models said."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.registry import init_default_scope

from ..datasets.transforms import named_steps
from ..metrics import ScoreTable
from ..modalities import FlowModality, Modality
from ..registry import DATASETS, TRANSFORMS
from .html import image_uri
from .predictions import best_classes, tasks_of
from .sample_clips import choose_clips, clip_strips, colour_wheel, outcomes

NUM_ANSWERS = 5
CLIPS = {'student': 3, 'both': 2, 'baseline': 1, 'neither': 1}

Row = Mapping[str, Any]


class ClipSource(NamedTuple):
    """A test data set, and the modalities that a model reads of it."""

    dataset: Any
    position: dict[str, int]  # sample id to index
    modalities: dict[str, Modality]

    def record(self, sample_id: str) -> dict[str, Any]:
        """The record of a clip.

        Raises:
            ValueError: The data set has no such clip.
        """
        if sample_id not in self.position:
            raise ValueError(
                f'{self.dataset.ann_file} has no clip {sample_id!r}, which the models were tested '
                'on: give the config and the data_root of the test.'
            )
        return self.dataset.load_record(self.position[sample_id])


def clip_sources(cfgs: Sequence[Config]) -> list[ClipSource]:
    """Where the modalities of the models can be read, each of them once.

    Args:
        cfgs: Configs of the models. Those with a pipeline or data set of MMAction2's own are
            passed over: their records name no media.
    """
    sources: list[ClipSource] = []
    known: set[str] = set()
    for cfg in cfgs:
        init_default_scope(cfg.get('default_scope', 'mmaction'))
        dataset_cfg = cfg.test_dataloader.dataset
        load = next((s for s in named_steps(dataset_cfg.pipeline) if 'modalities' in s), None)
        if load is None:
            continue
        found = TRANSFORMS.build(load).modalities
        modalities = {name: x for name, x in found.items() if name not in known}
        if modalities:
            dataset = DATASETS.build({**dataset_cfg, 'pipeline': []})
            records = (dataset.plain_record(i) for i in range(len(dataset)))
            position = {str(record['sample_id']): i for i, record in enumerate(records)}
            sources.append(ClipSource(dataset, position, modalities))
            known |= modalities.keys()
    return sources


def example_clips(
    sources: Sequence[ClipSource],
    pair: tuple[Row, Row | None],
    answering: Sequence[Row],
    tables: Mapping[str, ScoreTable],
) -> dict[str, Any]:
    """Clips that were drawn at random, with what the models said about them.

    Args:
        sources: See `clip_sources`; at least one.
        pair: The model that the report is about, and the one that it is compared with or None.
        answering: The rows whose best answers are shown.
        tables: Row name to scores, all in the same order of clips.

    Returns:
        What the page shows: `clips`, `outcomes` (text, number of clips), `wheel` if there is flow,
        and `unseen`, the modalities without a picture.
    """
    lead, other = pair
    table = tables[lead['name']]
    task = tasks_of(table)[-1]
    by_outcome = outcomes(tables[(other or lead)['name']], table, task)
    texts = outcome_texts(lead['title'], other and other['title'])
    classes = class_names(sources[0].dataset, table)
    clips = []
    for outcome, clip in choose_clips(by_outcome, CLIPS):
        sample_id = str(table.sample_ids[clip])
        labels = {t: int(labels_N[clip]) for t, labels_N in table.labels.items()}
        clips.append(
            {
                'sample_id': sample_id,
                'truth': ' · '.join(classes[t][label] for t, label in labels.items()),
                'outcome': texts[outcome],
                'strips': _strips(sources, sample_id),
                'answers': [
                    answer(row['title'], tables[row['name']], classes, clip) for row in answering
                ],
            }
        )
    seen = {name for clip in clips for name, _ in clip['strips']}
    has_flow = any(isinstance(m, FlowModality) for s in sources for m in s.modalities.values())
    return {
        'clips': clips,
        'outcomes': [(texts[x], len(index)) for x, index in by_outcome.items() if x in texts],
        'wheel': image_uri(colour_wheel(128)) if has_flow else None,
        'unseen': [name for source in sources for name in source.modalities if name not in seen],
    }


def outcome_texts(lead: str, other: str | None) -> dict[str, str]:
    """What it means, who is right."""
    if other is None:
        return {'both': f'{lead} is right', 'neither': f'{lead} is wrong'}
    return {
        'student': f'only {lead} is right',
        'both': f'{other} and {lead} are right',
        'baseline': f'only {other} is right',
        'neither': f'{other} and {lead} are wrong',
    }


def class_names(dataset: Any, table: ScoreTable) -> dict[str, list[str]]:
    """Task to the names of its classes; numbers where the data set has no names."""
    named = dataset.metainfo.get('classes') or {}
    sizes = {task: table.scores[task].shape[2] for task in tasks_of(table) if task in table.labels}
    return {
        task: list(named[task])[:size]
        if len(named.get(task, ())) >= size
        else [f'{task} {k}' for k in range(size)]
        for task, size in sizes.items()
    }


def answer(
    title: str, table: ScoreTable, classes: Mapping[str, Sequence[str]], clip: int
) -> dict[str, Any]:
    """The best classes of each task, best first, and which is right."""
    lines = {
        task: [
            {
                'text': names[best.index],
                'probability': best.probability,
                'right': best.index == int(table.labels[task][clip]),
            }
            for best in best_classes(table, task, clip, NUM_ANSWERS)
        ]
        for task, names in classes.items()
    }
    return {'title': title, 'tasks': lines}


def _strips(sources: Sequence[ClipSource], sample_id: str) -> list[tuple[str, str]]:
    """Modality and picture; the boxes of one source are drawn on the frames of another."""
    modalities: dict[str, Modality] = {}
    media: dict[str, str] = {}
    record: dict[str, Any] = {}
    for source in sources:
        found = source.record(sample_id)
        record = found | record
        wanted = {modality.source for modality in source.modalities.values()}
        media |= {name: path for name, path in found.get('media', {}).items() if name in wanted}
        modalities |= source.modalities
    strips = clip_strips({**record, 'media': media}, modalities)
    return [(name, image_uri(strip)) for name, strip in strips.items()]
