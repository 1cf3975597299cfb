"""Walk every recognition config of the installed MMAction2: `make conformance`."""

import argparse
import gc
import json
import logging
import time
import warnings
from pathlib import Path

import torch
from checks import Case, check_expert, check_student, check_upstream, outcome, tin_shift_on_cpu
from mmengine.registry import init_default_scope
from table import ROW, Row, page, summary
from upstream_configs import config_names

DOCS = Path(__file__).parents[2] / 'docs/conformance.md'
RESULTS = Path('work_dirs/conformance.jsonl')


def run_config(name: str) -> Row:
    """Both roles of one config."""
    began = time.time()
    student = teacher = ''
    try:
        case = Case(name)
    except Exception as error:
        student = teacher = f'{type(error).__name__}: {error}'[:200]
    else:
        student, teacher = outcome(check_student, case), outcome(check_expert, case)
        if not student == teacher == 'yes':
            stock = outcome(check_upstream, case)
            student, teacher = (
                f'upstream: {stock}' if role != 'yes' and stock != 'yes' else role
                for role in (student, teacher)
            )
    gc.collect()
    return Row(name, student, teacher, round(time.time() - began, 1))


def main() -> None:
    """Run, print the table as it grows, and end with the count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--only', default='', help='configs whose path contains this text')
    parser.add_argument('--resume', action='store_true', help='keep what an earlier walk saw pass')
    parser.add_argument('--write-docs', action='store_true', help=f'write the table to {DOCS.name}')
    args = parser.parse_args()
    warnings.filterwarnings('ignore')
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    init_default_scope('mmaction')

    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Row] = {}
    if args.resume and RESULTS.exists():
        before = map(Row.read, RESULTS.read_text().splitlines())
        rows = {row.name: row for row in before if row.student == row.teacher == 'yes'}
    with RESULTS.open('a' if args.resume else 'w') as file, tin_shift_on_cpu():
        for name in config_names():
            if args.only not in name or name in rows:
                continue
            rows[name] = run_config(name)
            file.write(json.dumps(rows[name]._asdict()) + '\n')
            file.flush()
            print(ROW.format(*rows[name]), flush=True)
    found = [rows[name] for name in config_names() if name in rows]
    print(summary(found))
    if args.write_docs:
        DOCS.write_text(page(found))


if __name__ == '__main__':
    main()
