"""A whole report from its config: measured, judged, drawn, written."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from ..config_tools import load_config
from ..files import write_whole
from .cards import first_of, headline_cards, leading_pair
from .example_clips import clip_sources, example_clips
from .html import render_html
from .left_out import left_out
from .measure import ModelCost, machine_name, measure_model, modalities_read, without_weights
from .missing_table import read_missing
from .page import (
    curve_pictures,
    missing_pictures,
    pareto_pictures,
    reliability_pictures,
    views_pictures,
    weight_bars,
)
from .predictions import tasks_of
from .report_config import ReportConfig, ReportModel
from .report_data import best_detection, read_metrics, stage_costs, teacher_weights
from .report_rows import ModelScores, build_row, cost_of_row, difference_row, load_model_scores
from .report_tables import distinct, report_tables, tables_latex, tables_markdown


class ReportInputs(NamedTuple):
    """What a report is made of, by name of the model."""

    config: ReportConfig
    scores: Mapping[str, ModelScores]
    cfgs: Mapping[str, Config]  # the models' own configs


def read_inputs(config: ReportConfig) -> ReportInputs:
    """Read dumps and configs, and check that they belong together; see `load_model_scores`."""
    scores = load_model_scores(config.models)
    cfgs = {
        model.name: without_weights(load_config(model.config, dict(model.cfg_options)))
        for model in config.models
    }
    return ReportInputs(config, scores, cfgs)


def build_report(inputs: ReportInputs, num_resamples: int = 1000) -> dict[str, Any]:
    """The content of report.json, costs apart.

    Args:
        inputs: See `read_inputs`.
        num_resamples: Of the bootstraps over videos; differences take ten times as many, so that
            by default they are those of `compare_groups`.
    """
    config, scores, cfgs = inputs
    rows: list[dict[str, Any]] = []
    same: dict[str, str] = {}
    for model in config.models:
        reads = model.reads or modalities_read(cfgs[model.name])
        row = build_row(model, scores[model.name], reads, num_resamples)
        first = same.setdefault(str(Path(model.scores).resolve()), model.name)
        if first != model.name:
            row['same_as'] = first
        if model.role in ('teacher', 'student') and model.files.train:
            row['teacher_weights'] = teacher_weights(model.files.train)
        rows.append(row)
    tasks = list(tasks_of(scores[rows[0]['name']].table))
    baseline = config.first('baseline')
    teacher: dict[str, Any] = next(
        (row['teacher_weights'] for row in rows if row.get('teacher_weights')), {}
    )
    return {
        'title': config.heading.title,
        'subtitle': config.heading.subtitle,
        'tasks': tasks,
        'headline_task': tasks[-1],
        'baseline': baseline and baseline.title,
        'rows': rows,
        'differences': _differences(inputs, rows, baseline, 10 * num_resamples),
        'detector': _detection(config),
        'teacher_weights': teacher,
        'missing': _missing(config, rows[0]),
        'setting': _setting(config, inputs),
        'machine': machine_name(),
        'stages': stage_costs(config.stages) if config.stages else [],
    }


def _differences(
    inputs: ReportInputs,
    rows: Sequence[Mapping[str, Any]],
    baseline: ReportModel | None,
    num_resamples: int,
) -> list[dict[str, Any]]:
    if baseline is None:
        return []
    others = {row['name'] for row in distinct(rows)} - {baseline.name}
    return [
        difference_row(baseline, model, inputs.scores, num_resamples)
        for model in inputs.config.models
        if model.name in others
    ]


def _missing(config: ReportConfig, row: Mapping[str, Any]) -> dict[str, Any]:
    """Models that lose modalities, compared on the clips of the report."""
    if config.missing is None:
        return {}
    found = read_missing(config.missing / 'missing.json')
    if found['num_clips'] != row['num_samples']:
        raise ValueError(
            f'{config.missing}/missing.json is of {found["num_clips"]} clips, the tests of the '
            f'report are of {row["num_samples"]}: compare models on the same clips.'
        )
    return found


def _detection(config: ReportConfig) -> dict[str, float]:
    folder = config.detector and config.detector.train
    return best_detection(folder) if folder else {}


def _setting(config: ReportConfig, inputs: ReportInputs) -> dict[str, str]:
    """What was run, for the reader of the page."""
    first = config.models[0]
    groups = inputs.scores[first.name].table.groups
    versions = read_metrics(first.metrics).get('versions', {})
    facts = {
        'test clips': f'{len(groups)} of {len(set(groups.tolist()))} videos (groups)',
        'versions': ', '.join(f'{name} {version}' for name, version in versions.items()),
        'machine': machine_name(),
    }
    return {**config.setting, **{name: text for name, text in facts.items() if text}}


def add_costs(report: dict[str, Any], inputs: ReportInputs) -> None:
    """Measure what an answer of each model costs, into its row; what that takes is printed.

    A model that reads boxes is passed over where the config has no detector.
    """
    config = inputs.config
    if config.cost is None:
        return
    detector = None
    if config.detector:
        from ..models import FrameDetector  # brings in all of MMDetection

        detector = FrameDetector(config.detector.config, config.detector.checkpoint)
    known: dict[str, ModelCost] = {}
    for model, row in zip(config.models, report['rows'], strict=True):
        if 'obj' in row['reads'] and detector is None:
            continue
        cfg = inputs.cfgs[model.name]
        key = repr((model.config, sorted(model.cfg_options.items()), row['reads']))
        if key not in known:
            repeats, sizes = config.cost
            known[key] = measure_model(cfg, detector, repeats, sizes, row['reads'])
            print(f'{model.title}: {known[key].total}', flush=True)
        row |= cost_of_row(known[key], inputs.scores[model.name].num_views)


def write_report(report: dict[str, Any], inputs: ReportInputs, out: Path) -> list[Path]:
    """Draw and write report.html, .json, .md and .tex; each is replaced as a whole."""
    rows, tasks, config = report['rows'], report['tasks'], inputs.config
    report['cards'] = headline_cards(report)
    views = {
        model.title: inputs.scores[model.name].views
        for model in config.models
        if inputs.scores[model.name].views
    }
    tables = {name: x.table for name, x in inputs.scores.items()}
    trained_in = {m.name: m.files.train for m in config.models if m.files.train}
    shown = {row['name'] for row in distinct(rows)}
    written_tables = report_tables(report, views)
    pictures = {
        'tables': {table.key: table for table in written_tables},
        'reliability': reliability_pictures(rows, tables, tasks),
        'curves': curve_pictures(rows, {n: x for n, x in trained_in.items() if n in shown}, tasks),
        'pareto': pareto_pictures(rows, report['headline_task']),
        'views': views_pictures(rows, views, report['headline_task']),
        'missing': missing_pictures(report['missing'], report['headline_task']),
        'weights': weight_bars(rows),
        **_clips(rows, inputs),
    }
    report['left_out'] = left_out(report, config, pictures)
    contents = {
        'json': json.dumps(report, indent=2) + '\n',
        'md': tables_markdown(report['title'], written_tables),
        'tex': tables_latex(written_tables),
        'html': render_html(report, pictures),
    }
    for ending, text in contents.items():
        write_whole(out / f'report.{ending}', text.encode())
    return [out / f'report.{ending}' for ending in contents]


def _clips(rows: Sequence[Mapping[str, Any]], inputs: ReportInputs) -> dict[str, Any]:
    """Example clips with the answers of the compared models and of the experts."""
    nothing: dict[str, Any] = {'clips': [], 'outcomes': [], 'wheel': None, 'unseen': []}
    sources = clip_sources(list(inputs.cfgs.values())) if inputs.config.clips else []
    if not sources:
        return nothing
    lead, baseline = leading_pair(rows)
    answering = [row for row in (baseline, lead) if row]
    experts = [row for row in distinct(rows) if row['role'] == 'expert']
    teacher = first_of(rows, 'teacher')
    answering += [row for row in (*experts, teacher) if row and row not in answering]
    tables = {name: x.table for name, x in inputs.scores.items()}
    return example_clips(sources, (lead, baseline), answering, tables)
