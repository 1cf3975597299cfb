"""JSON that is damaged, nested a million deep or of another kind, wherever a tool reads it."""

import zipfile
from pathlib import Path

from bad_row import Row

RESCORE, COST = 'tools/analysis/rescore.py', 'tools/analysis/cost.py'
SUBMISSION, RENDER = 'tools/analysis/epic_submission.py', 'projects/demo/render.py'
FLOW, TRAIN = 'tools/data/extract_flow.py', 'tools/train.py'

DEEP = 1_000_000 * '[' + 1_000_000 * ']'
HUGE = '{"action": 1' + '0' * 5000 + '}'  # Python parses no number of so many digits
CONTENTS = dict(
    deep=DEEP, deep_object='{"a":' * 1_000_000, truncated='{"version": 1, "a', empty='', huge=HUGE
)


def written(path: str, text: str):
    """Replace a file."""

    def prepare(here: Path) -> None:
        (here / path).parent.mkdir(exist_ok=True)
        (here / path).write_text(text)

    return prepare


def submission(text: str):
    """A zip as the challenge wants it, with this in it."""

    def prepare(here: Path) -> None:
        with zipfile.ZipFile(here / 's.zip', 'w') as file:
            file.writestr('test.json', text)

    return prepare


def flow_settings(text: str):
    """Replace what an extraction has noted beside the flow of a video."""
    return written('flow/P01_01/flow.json', text)


VIDEOS = '--videos videos/*.mp4 --workers 0'

ROWS = [
    row
    for kind, text in CONTENTS.items()
    for row in (
        Row(
            RESCORE,
            f'temperatures {kind}',
            'scores.npz --temperatures t.json',
            't.json is no JSON file',
            prepare=written('t.json', text),
        ),
        Row(
            COST,
            f'metrics {kind}',
            'rgb=expert.py --metrics rgb=m.json --out new',
            'm.json is not JSON .*mmdistill test',
            prepare=written('m.json', text),
        ),
        Row(
            SUBMISSION,
            f'a submission {kind}',
            '--check s.zip',
            's.zip: test.json is not valid',
            prepare=submission(text),
        ),
        Row(
            TRAIN,
            f'a cache {kind}',
            'distill.py --work-dir new --cfg-options teacher_cache=cache',
            'cache/manifest.json is damaged .*write the cache again',
            prepare=written('cache/manifest.json', text),
        ),
        Row(
            FLOW,
            f'settings of earlier flow {kind}',
            f'{VIDEOS} --out-template flow/{{video_id}}',
            'flow/P01_01/flow.json is not JSON .*move the result away',
            prepare=flow_settings(text),
        ),
        Row(
            RENDER,
            f'an earlier rendering {kind}',
            'demo --train 2 --val 1',
            'demo/render.json is not JSON .*another folder',
            prepare=written('demo/render.json', text),
        ),
    )
]
