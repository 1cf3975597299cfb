"""Write the report of a finished demo, as HTML, JSON, Markdown and LaTeX: metrics, costs, clips."""

import argparse
import json
from pathlib import Path
from typing import Any

from mmengine.config import DictAction
from mmengine.registry import init_default_scope

import mmdistill  # noqa: F401  (repairs upstream first)
from mmdistill.config_tools import load_config
from mmdistill.metrics import ScoreTable, load_scores
from mmdistill.models.detector import FrameDetector
from mmdistill.registry import DATASETS
from mmdistill.reports import (
    Cost,
    RowSource,
    aligned,
    best_detection,
    build_row,
    render_html,
    tasks_of,
    teacher_weights,
)
from mmdistill.reports.measure import machine_name, row_cost
from mmdistill.reports.page import headline_cards, page_pictures
from mmdistill.reports.tables import latex_table, markdown_table, report_columns
from mmdistill.stages import OneFile

ALL = ('rgb', 'flow', 'obj')
# name, title, role, model of the demo, what it reads
ROWS = (
    ('rgb_baseline', 'RGB baseline', 'baseline', 'rgb', ('rgb',)),
    ('rgb_expert', 'RGB expert', 'expert', 'rgb', ('rgb',)),
    ('flow_expert', 'Flow expert', 'expert', 'flow', ('flow',)),
    ('obj_expert', 'Box expert', 'expert', 'obj', ('obj',)),
    ('teacher_uniform', 'Uniform teacher', 'teacher', 'teacher_uniform', ALL),
    ('teacher', 'Weighted teacher', 'teacher', 'teacher', ALL),
    ('student', 'Student', 'student', 'student', ('rgb',)),
)
# The RGB expert is the RGB baseline: one training, shown in both places.
CURVES = {'rgb_baseline': 'rgb', 'flow_expert': 'flow', 'obj_expert': 'obj', 'student': 'student'}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dir', type=Path, help='where tools/demo.py worked')
    parser.add_argument('--data-root', type=Path, default=Path('data/demo'))
    parser.add_argument('--configs', type=Path, default=Path('configs/demo'))
    parser.add_argument('--repeats', type=int, default=25, help='latency measurements per row')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={})
    return parser.parse_args()


def row_sources(work_dir: Path, configs: Path) -> list[RowSource]:
    """The rows of the demo, in the order of the table."""
    return [
        RowSource(
            name=name,
            title=title,
            role=role,
            metrics=work_dir / 'test' / model / 'metrics.json',
            scores=work_dir / 'test' / model / 'scores.npz',
            config=configs / f'{model}.py',
            reads=reads,
        )
        for name, title, role, model, reads in ROWS
    ]


def build_report(args: argparse.Namespace, sources: list[RowSource], tables: dict) -> dict:
    """The content of report.json."""
    detector = FrameDetector(
        str(args.configs / 'detector.py'),
        OneFile(str(args.work_dir / 'detector' / 'best*.pth')).resolve(),
    )
    costs: dict[Path, Cost] = {}
    rows = []
    for source in sources:
        if source.config not in costs:
            cfg = load_config(source.config, options_of(args, source.config))
            costs[source.config] = row_cost(cfg, source.reads, detector, args.repeats)
            print(f'{source.title}: {costs[source.config]}', flush=True)
        table = tables[source.name]
        num_views = next(iter(table.scores.values())).shape[1]
        rows.append(build_row(source, costs[source.config], num_views))
    tasks = list(tasks_of(tables['student']))
    report = {
        'title': 'mmdistill demo',
        'subtitle': 'EPIC-KITCHENS in miniature: clips of a hand that moves things, rendered on '
        'this machine. Experts for RGB, optical flow and detected boxes teach a student that sees '
        'RGB only.',
        'tasks': tasks,
        'splits': split_columns(rows[0], tasks),
        'rows': rows,
        'has_flops_note': any('flops_note' in row for row in rows),
        'detector': best_detection(args.work_dir / 'detector'),
        'teacher_weights': teacher_weights(args.work_dir / 'test' / 'teacher' / 'log'),
        'setting': setting(args, sources),
        'stages': stage_costs(args.work_dir),
    }
    return report | {'cards': headline_cards(report)}


def options_of(args: argparse.Namespace, config: Path) -> dict[str, Any]:
    """The `--cfg-options` of a row; teachers and student also learn where the experts are."""
    options = dict(args.cfg_options)
    options['data_root'] = f'{args.data_root}/'
    if config.stem not in ALL:
        options['expert_dir'] = str(args.work_dir)
    return options


def split_columns(row: dict, tasks: list[str]) -> list[tuple[str, str]]:
    """The (split, task) pairs that the metrics of a row know."""
    pairs = [(split, task) for split in ('unseen', 'tail') for task in tasks]
    return [pair for pair in pairs if 'acc/{}/{}/top1'.format(*pair) in row]


def setting(args: argparse.Namespace, sources: list[RowSource]) -> dict[str, str]:
    """What was run, for the reader of the page."""
    rendered = json.loads((args.data_root / 'render.json').read_text())
    student = json.loads((args.work_dir / 'stamps' / 'student.json').read_text())
    versions = json.loads(sources[0].metrics.read_text()).get('versions', {})
    return {
        'data': f'{rendered["num_train"]} training and {rendered["num_val"]} validation clips of '
        f'{" x ".join(map(str, rendered["frame_size"]))} pixels, rendered with seed '
        f'{rendered["seed"]}',
        'student': f'python {" ".join(student["identity"]["command"])}',
        'versions': ', '.join(f'{name} {version}' for name, version in versions.items()),
        'machine': machine_name(),
    }


def stage_costs(work_dir: Path) -> list[dict]:
    """Time and memory from the stamps of the finished stages, in the order they ended."""
    stamps = [
        json.loads(path.read_text()) | {'name': path.stem}
        for path in (work_dir / 'stamps').glob('*.json')
        if not path.name.endswith('.started.json')
    ]
    keys = ('name', 'seconds', 'peak_bytes')
    ordered = sorted(stamps, key=lambda stamp: stamp['finished'])
    return [{key: stamp[key] for key in keys} for stamp in ordered]


def load_tables(sources: list[RowSource]) -> dict[str, ScoreTable]:
    """Row name to scores, all in the first row's order of clips."""
    first = load_scores(sources[0].scores)
    return {s.name: aligned(load_scores(s.scores), first.sample_ids) for s in sources}


def main() -> None:
    args = parse_args()
    sources = row_sources(args.work_dir, args.configs)
    tables = load_tables(sources)
    report = build_report(args, sources, tables)
    teacher = args.configs / 'teacher.py'
    cfg = load_config(teacher, options_of(args, teacher))
    init_default_scope('mmaction')
    dataset = DATASETS.build({**cfg.test_dataloader.dataset, 'pipeline': []})
    trained_in = {row: args.work_dir / model for row, model in CURVES.items()}
    page = render_html(report, page_pictures(report, tables, trained_in, dataset))
    (args.work_dir / 'report.html').write_text(page, encoding='utf-8')
    (args.work_dir / 'report.json').write_text(json.dumps(report, indent=2) + '\n')
    columns = report_columns(report['tasks'])
    (args.work_dir / 'report.md').write_text(markdown_table(report['rows'], columns))
    (args.work_dir / 'report.tex').write_text(latex_table(report['rows'], columns))
    print(f'Wrote {args.work_dir / "report.html"}, and report.json, .md and .tex beside it')


if __name__ == '__main__':
    main()
