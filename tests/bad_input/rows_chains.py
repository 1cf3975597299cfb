"""Sweeps, reports, results and a project of one's own: what their configs and files may lack."""

from pathlib import Path

from bad_row import Row, replace_text, truncate
from in_process import ROOT

DEMO_RESULTS = ROOT / 'projects/demo/configs/results.py'
SWEEP, REPORT = 'tools/sweep.py', 'tools/analysis/report.py'
RESULTS, SHEET = 'projects/demo/results.py', 'projects/demo/draw_sheet.py'
KARMMA, CLIP = 'projects/demo/karmma.py', 'projects/demo/draw_clip.py'
CHECK, TRAIN = 'tools/data/check.py', 'tools/train.py'


def sweep(what: str, grid: str, expected: str, **options) -> Row:
    """A grid on the toy distillation and its cache, into `swept`."""
    words = options.pop('words', '--cache cache')
    command = f'distill.py {words} --work-dir swept --grid {grid}'
    return Row(SWEEP, what, command, expected, left=['swept/**'], **options)


CLIPS = [
    Row(CLIP, 'no such video', 'gone.mp4 new.webp', 'gone.mp4'),
    Row(CLIP, 'text for a video', 'train.csv new.webp', 'train.csv'),
    Row(CLIP, 'a picture of another kind', 'videos/P01_01.mp4 new.gif', 'must end with .webp', 2),
    Row(CLIP, 'no seconds', 'videos/P01_01.mp4 new.webp --seconds 0', 'argument --seconds', 2),
    Row(CLIP, 'no width', 'videos/P01_01.mp4 new.webp --width 0', 'argument --width', 2),
    Row(KARMMA, 'no seeds', '--seeds 0', 'argument --seeds', 2),
    Row(KARMMA, 'no jobs', '--jobs 0', 'argument --jobs', 2),
]
SWEEPS = [
    sweep('an unknown weighting', 'weighting=best', "weighting.*'best'.*uniform"),
    sweep('a temperature of 0', 'temperature=0,1', 'temperature must be a finite number > 0'),
    sweep('a temperature of nan', 'temperature=nan', 'temperature must be a finite number > 0'),
    sweep('a lambda of 2', 'lambda=0.5,2', 'lambda must be a number from 0 to 1'),
    sweep('a gamma below 0', 'gamma=-1', 'gamma|weighting temperature'),
    sweep('an unknown expert', 'experts=one+smell', 'smell'),
    sweep('no such student', 'student=gone.py', "no config 'gone.py'"),
    sweep('a key that is not there', 'model.brain.size=1,2', "no 'model.brain', so the grid"),
    sweep('no cache', 'gamma=1', 'gone holds no teacher cache', words='--cache gone'),
    sweep(
        'a truncated manifest of the cache',
        'gamma=1',
        'manifest.json is damaged.*write the cache again',
        prepare=lambda here: truncate(here / 'cache/manifest.json'),
    ),
    Row(SWEEP, 'no config', 'gone.py --cache cache --grid gamma=1', "no config 'gone.py'"),
    Row(SWEEP, 'no grid', 'distill.py --cache cache', 'required: --grid', 2),
    Row(SWEEP, 'no teacher', 'expert.py --cache cache --grid gamma=1', 'teacher'),
]


def report(what: str, config: str, expected: str, **options) -> Row:
    """A report whose config is this text; `test` holds metrics and scores of a model."""

    def prepare(here: Path) -> None:
        (here / 'test').mkdir()
        for name in ('metrics.json', 'scores.npz'):
            (here / 'test' / name).write_bytes((here / name).read_bytes())
        (here / 'report.py').write_text(config)
        if 'spoil' in options:
            options['spoil'](here)

    return Row(REPORT, what, 'report.py --out new --resamples 9', expected, prepare=prepare)


MODEL = "models = dict(a=dict(role='student', test='test'{}))\ncost = False\n"
REPORTS = [
    Row(REPORT, 'no config', 'gone.py', "no config 'gone.py'"),
    report('no models', 'title = "nothing"\n', 'report.py has no models: give models=dict'),
    report('models as a list', 'models = [1]\n', 'report.py has no models: give models=dict'),
    report(
        'an unknown role', "models = dict(a=dict(role='boss', test='test'))\n", 'role is one of'
    ),
    report('no test', "models = dict(a=dict(role='student'))\n", 'test is missing, the folder'),
    report(
        'a test that is not there',
        "models = dict(a=dict(role='student', test='x'))\n",
        'lacks metrics.json',
    ),
    report('an unknown key', MODEL.format(', colour=1'), r"unknown keys \['colour'\]"),
    report('no such holdout', MODEL.format(", holdout='gone.npz'"), 'no dump gone.npz; write it'),
    report('no such training', MODEL.format(", train='gone'"), 'no folder gone; .*makes it'),
    report('views without a dump', MODEL.format(', views=dict(clips=2)'), 'dump is missing'),
    report(
        'a detector without weights',
        MODEL.format('') + "detector = dict(config='detector.py')\n",
        "detector lacks .'checkpoint'",
    ),
    report('a config with a mistake', 'models = dict(\n', 'report.py'),
    report('a cost that is a number', MODEL.format('').replace('False', '3'), 'cost is a dict'),
    report(
        'damaged metrics',
        MODEL.format(''),
        'metrics.json is not JSON .*write it again',
        spoil=lambda here: truncate(here / 'test/metrics.json'),
    ),
    report(
        'damaged scores',
        MODEL.format(''),
        'scores.npz is no .npz file, or only the beginning',
        spoil=lambda here: truncate(here / 'test/scores.npz'),
    ),
]
HAND = "dict(type='HandPoseModality', keypoints=['tip'], frame_size=(48, 64), fps=10)"
IMPORTS = "custom_imports = dict(imports=['projects.hand_pose.hand_pose'])"


def pose(what: str, track: str, expected: str) -> Row:
    """A modality of one's own: keypoints of a hand in a CSV per video."""

    def prepare(here: Path) -> None:
        (here / 'pose').mkdir()
        for video in ('P01_01', 'P01_02', 'P02_01'):
            (here / 'pose' / f'{video}.csv').write_text(track)
        for old, new in (
            ('modalities = dict(', f'modalities = dict(hand_pose={HAND},'),
            ("inputs='rgb'", "inputs=('rgb', 'hand_pose')"),
            ('media=dict(', "media=dict(hand_pose='pose/{video_id}.csv',"),
            ('model = ', f'{IMPORTS}\nmodel = '),
        ):
            replace_text(here / 'expert.py', old, new)

    return Row(
        CHECK,
        what,
        'expert.py --workers 0 --out-dir checked',
        expected,
        prepare=prepare,
        left=['checked/**'],
        listed=True,
    )


HEAD = 'time_seconds,tip_x,tip_y\n'
POSES = [
    pose('a track without its columns', 'time,tip_x\n0,0\n', 'lacks the columns.*time_seconds'),
    pose('a track of text', f'{HEAD}0,left,0\n1,0,0\n', r'P\d\d_\d\d.csv, below its header'),
    pose('a track of one sample', f'{HEAD}0,0.5,0.5\n', 'at least two samples'),
    pose('a track with NaN', f'{HEAD}0,nan,0.5\n2,0.5,0.5\n', 'all of them numbers'),
    pose('a track whose time falls', f'{HEAD}1,0.5,0.5\n0,0.5,0.5\n', 'at increasing times'),
    pose('a track of another video', f'{HEAD}8,0.5,0.5\n9,0.5,0.5\n', 'has no sample within 0.1 s'),
    pose('an empty track', '', 'lacks the columns'),
]
OTHERS = [
    Row(RESULTS, 'no config', 'gone.py', "no config 'gone.py'"),
    Row(
        RESULTS,
        'an unknown row',
        'results.py --rows nobody --work-dir new',
        'nobody',
        prepare=lambda here: (here / 'results.py').write_bytes(DEMO_RESULTS.read_bytes()),
    ),
    Row(
        'tools/data/pack_hdf5.py',
        'a folder as video',
        '--videos videos --out new.h5',
        'FAILED videos: There is no video videos',
        listed=True,
        left=['new.h5*'],
    ),
]
ROWS = [*SWEEPS, *CLIPS, *REPORTS, *POSES, *OTHERS]
