"""What fewer views cost: accuracy and ECE for every number of clips and crops, from one test.

    mmdistill test CONFIG CHECKPOINT --dump scores.npz --cfg-options \\
        test_dataloader.dataset.pipeline.sample.num_clips=5
    mmdistill views student=scores.npz baseline=rgb.npz --clips 5 --out views

writes views.csv, views.md and views.svg. Views are averaged as logits and as probabilities.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..evaluation import tasks_of
from ..evaluation.score_groups import alike, checked_scores_of, named_path
from ..evaluation.view_table import views_csv, views_markdown, views_plot
from ..files import write_whole
from ..metrics import ScoreTable, score_views
from ..places import check_output
from ..ranges import ONE_OR_MORE
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'scores', nargs='+', metavar='NAME=FILE.npz', help='dump of a model, and its name'
    )
    parser.add_argument(
        '--clips', type=ONE_OR_MORE, default=1, help='temporal clips that were tested'
    )
    parser.add_argument(
        '--crops',
        type=int,
        default=1,
        choices=(1, 3),
        help='tested crops: ThreeCrop is 3',
    )
    parser.add_argument('--task', help='task of table and plot; default: the last, as action')
    parser.add_argument('--out', default='views', help='the files, without their ending; replaced')
    args = parser.parse_args(argv)
    args.scores = dict(_named(text) for text in args.scores)
    return args


def _named(text: str) -> tuple[str, str]:
    name, path = named_path(text)
    return name or Path(path).stem, path


def load_tables(paths: dict[str, str]) -> dict[str, ScoreTable]:
    """Name to scores, all on the same clips, classes and labels in the same order."""
    tables = {name: checked_scores_of(path) for name, path in paths.items()}
    first = next(iter(tables.values()))
    return {name: alike(table, first, paths[name]) for name, table in tables.items()}


def number_of_views(table: ScoreTable) -> int:
    """How many views of a clip the table holds."""
    return next(iter(table.scores.values())).shape[1]


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Score, print, write."""
    args = parse_args(argv)
    check_output(f'{args.out}.md')
    tables = load_tables(args.scores)
    models = {}
    for name, table in tables.items():
        # A teacher fuses what its experts say about all views: it has one answer.
        one = number_of_views(table) == 1
        models[name] = score_views(table, *((1, 1) if one else (args.clips, args.crops)))
    tasks = tasks_of(next(iter(tables.values())))
    task = args.task or tasks[-1]
    if task not in tasks:
        raise ValueError(f'--task is one of {list(tasks)}, got {task!r}.')
    markdown = views_markdown(models, task)
    files = {'csv': views_csv(models, tasks), 'md': markdown, 'svg': views_plot(models, task)}
    for ending, text in files.items():
        write_whole(f'{args.out}.{ending}', text.encode())
    print(f'{markdown}\nWrote {", ".join(f"{args.out}.{ending}" for ending in files)}')
