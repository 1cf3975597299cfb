"""Numbers outside of their range: every flag says which one it takes, before anything is read."""

from bad_row import Row

FLOW = ('tools/data/extract_flow.py', '--videos videos/*.mp4 --out-template new/{video_id}')
AUDIO = ('tools/data/extract_audio.py', '--videos videos/*.mp4 --out-template new/{video_id}.flac')
BOXES = (
    'tools/data/extract_detections.py',
    'detector.py detector.pth --videos videos/*.mp4 --out new.h5',
)
PACK = ('tools/data/pack_hdf5.py', '--videos videos/*.mp4 --out new.h5')
TARS = ('tools/data/unpack_tars.py', '--tars frames/*.tar')
RENDER = ('projects/demo/render.py', 'new')
SHEET = ('projects/demo/draw_sheet.py', 'new.png')
CHECK = ('tools/data/check.py', 'expert.py')
TRAIN = ('tools/train.py', 'distill.py')
TEST = ('tools/test.py', 'expert.py expert.pth')
CACHE = ('tools/cache_teacher.py', 'distill.py new')
DEMO, RESULTS = ((f'projects/demo/{name}.py', '') for name in ('__main__', 'results'))
SWEEP = ('tools/sweep.py', 'distill.py --cache cache --grid gamma=0.3,1')
SIZE = ('tools/analysis/cache_size.py', '--classes 3')
COMPARE = ('tools/analysis/compare.py', 'scores.npz other.npz')
COST = ('tools/analysis/cost.py', 'rgb=expert.py --out new')
SUBMIT = ('tools/analysis/epic_submission.py', 'scores.npz new.zip --sls-pt 1 --sls-tl 3')
REPORT = ('tools/analysis/report.py', 'report.py')
RESCORE = ('tools/analysis/rescore.py', 'scores.npz')
SCALING = ('tools/analysis/temperature_scaling.py', '--holdout holdout.npz')
VIEWS = ('tools/analysis/views.py', 'scores.npz --out new')

ONE, COUNT = (f'a whole number >= {low}' for low in (1, 0))
WHOLE = 'a whole number from '
RESAMPLES, NO_RESAMPLES = f'{WHOLE}1 to 1000000', f'{WHOLE}0 to 1000000'
TRAIN_CLIPS, VAL_CLIPS = f'{WHOLE}2 to 1000000', f'{WHOLE}1 to 1000000'
SEEDS_RANGE, BATCH = f'{WHOLE}1 to 1000', f'{WHOLE}1 to 65536'
BIG = '999999999999'
POSITIVE, FRACTION = 'a finite number > 0', 'a number from 0 to 1'
SEED = 'a whole number from 0 to 4294967295'

WRONG = [
    (FLOW, '--bound', POSITIVE, ('0', '-3', 'nan', 'inf', 'wide')),
    (FLOW, '--short-side', f'{WHOLE}0 to 8192', ('-1', '2.5', BIG)),
    (FLOW, '--workers', COUNT, ('-1', '99999999999999999999')),
    (AUDIO, '--sample-rate', 'a whole number from 1000 to 192000', ('0', '-8000', 'nan', '1e4')),
    (AUDIO, '--workers', COUNT, ('-1',)),
    (BOXES, '--stride', ONE, ('0', '-2')),
    (BOXES, '--score-thr', FRACTION, ('nan', '2', '-0.1', 'inf')),
    (BOXES, '--max-boxes', ONE, ('0', '-1')),
    (BOXES, '--batch-size', BATCH, ('0',)),
    (BOXES, '--workers', COUNT, ('-1',)),
    (PACK, '--quality', 'a whole number from 1 to 100', ('-5', '0', '101', '95.5')),
    (TARS, '--workers', COUNT, ('-1',)),
    (RENDER, '--train', TRAIN_CLIPS, ('0', '1', '-4', BIG)),
    (RENDER, '--val', VAL_CLIPS, ('0', '-1')),
    (RENDER, '--seed', SEED, ('-1', '4294967296')),
    (RENDER, '--size', f'{WHOLE}32 to 4096', ('0 96', '-128 96', f'128 {BIG}')),
    (SHEET, '--seed', SEED, ('-1',)),
    (CHECK, '--num', COUNT, ('-1',)),
    (CHECK, '--frames', COUNT, ('-1',)),
    (CHECK, '--sheet-clips', COUNT, ('-1',)),
    (CHECK, '--workers', COUNT, ('-1',)),
    (TRAIN, '--seed', SEED, ('-1', '1e3')),
    (TEST, '--seed', SEED, ('-1', '99999999999')),
    (CACHE, '--views', ONE, ('0', '-1')),
    (CACHE, '--top-k', ONE, ('0',)),
    (CACHE, '--clips-per-shard', ONE, ('0',)),
    (DEMO, '--jobs', ONE, ('0', '-1')),
    (DEMO, '--train', TRAIN_CLIPS, ('1',)),
    (DEMO, '--seed', SEED, ('-1',)),
    (RESULTS, '--jobs', ONE, ('0', '-1')),
    (RESULTS, '--seeds', SEEDS_RANGE, ('0', BIG)),
    (RESULTS, '--resamples', RESAMPLES, ('0',)),
    (SWEEP, '--jobs', ONE, ('0', '-1')),
    (SWEEP, '--seeds', SEED, ('-1',)),
    (SIZE, '--experts', SEEDS_RANGE, ('0', BIG)),
    (SIZE, '--views', ONE, ('-1',)),
    (COMPARE, '--resamples', RESAMPLES, ('0', '-1', BIG)),
    (COST, '--repeats', ONE, ('0',)),
    (COST, '--batch-sizes', BATCH, ('0', '4 -1', BIG)),
    (SUBMIT, '--sls-td', 'a whole number from 0 to 5', ('6', '-1')),
    (REPORT, '--resamples', NO_RESAMPLES, ('-1',)),
    (RESCORE, '--num-bins', f'{WHOLE}1 to 100000', ('0', BIG)),
    (RESCORE, '--topk', ONE, ('1 0',)),
    (RESCORE, '--intervals', NO_RESAMPLES, ('-1', BIG)),
    (SCALING, '--resamples', NO_RESAMPLES, ('-1',)),
    (VIEWS, '--clips', ONE, ('0', '-5')),
]


def number_row(command: tuple[str, str], flag: str, allowed: str, value: str) -> Row:
    """A flag with a value that it does not take."""
    tool, words = command
    # A value with a minus looks like a flag of its own where it is not joined by `=`.
    words = f'{words} {flag} {value}' if ' ' in value else f'{words} {flag}={value}'
    return Row(tool, f'{flag} {value}', words, f"argument {flag}: expected {allowed}, got '", 2)


ROWS = [
    number_row(command, flag, allowed, value)
    for command, flag, allowed, values in WRONG
    for value in values
] + [
    Row(
        COST[0], 'no frames', f'{COST[1]} --frames rgb=0', 'argument --frames: expected a whole', 2
    ),
    Row(COST[0], 'frames nan', f'{COST[1]} --frames rgb=2,nan', "--frames: .*got 'nan'", 2),
    Row(
        SWEEP[0],
        'lambda is 1.5',
        'distill.py --cache cache --grid lambda=0.5,1.5 --work-dir new',
        'lambda must be a number from 0 to 1, got 1.5',
    ),
    Row(
        SWEEP[0],
        'gamma is 0',
        'distill.py --cache cache --grid gamma=0 --work-dir new',
        'gamma must be a finite number > 0, got 0',
    ),
    Row(
        SWEEP[0],
        'temperature is no number',
        'distill.py --cache cache --grid temperature=hot --work-dir new',
        "temperature must be a finite number > 0, got 'hot'",
    ),
]
