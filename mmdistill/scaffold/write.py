"""The files of a new project: one data set, short configs on it, and a README with the commands."""

import os
from collections.abc import Mapping
from pathlib import Path

from .look import Found, Request

KIND = dict(rgb='RGBModality', flow='FlowModality', obj='DetectionModality', audio='AudioModality')
SWIN = 'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb'
WEIGHTS = (
    f'https://download.openmmlab.com/mmaction/v1.0/recognition/swin/{SWIN}/'
    f'{SWIN}_20220930-241016b2.pth'
)

DATASET = """\
# The clips of this project as they were found: {about}.
data_root = {data_root!r}
num_classes = {tasks!r}

# {frames} frames, evenly spaced over each clip.
sample = dict(type='UniformSample', clip_len={frames})
modalities = dict(
{modalities}
)
shorter_side = dict(type='Resize', scale=(-1, {shorter_side}))
train_geometry = dict(
    shorter_side=shorter_side,
    crop=dict(type='RandomResizedCrop'),
    resize=dict(type='Resize', scale=({size}, {size}), keep_ratio=False),
{flip})
test_geometry = dict(shorter_side=shorter_side, crop=dict(type='CenterCrop', crop_size={size}))
load = dict(type='mmdistill.LoadModalities', inputs='rgb', modalities=modalities)
pack = dict(type='mmdistill.PackModalities')
train_pipeline = dict(sample=sample, load=dict(load, geometry=train_geometry), pack=pack)
test_pipeline = dict(
    sample=dict(sample, test_mode=True), load=dict(load, geometry=test_geometry), pack=pack
)

dataset = dict(
    type='mmdistill.MultimodalDataset',
    data_root=data_root,
    media={media!r},
    tasks={classes!r},
    holdout={holdout!r},
    group={group!r},
)
train_dataset = dict(dataset, ann_file={train!r}, split='train', pipeline=train_pipeline)
# Clips that nothing is trained on: the teacher's weights and temperatures are fitted on them.
holdout_dataset = dict(
    dataset, ann_file={train!r}, split='holdout', pipeline=test_pipeline, test_mode=True
)
test_dataset = dict(dataset, ann_file={test!r}, pipeline=test_pipeline, test_mode=True)

loader = dict(batch_size=8, num_workers=4, persistent_workers=True)
in_order = dict(loader, sampler=dict(type='DefaultSampler', shuffle=False))
train_dataloader = dict(
    loader, sampler=dict(type='mmdistill.EpochSampler', shuffle=True), dataset=train_dataset
)
holdout_dataloader = dict(in_order, dataset=holdout_dataset)
# The best checkpoint is chosen on the holdout, never on the clips of the test.
val_dataloader = dict(in_order, dataset=holdout_dataset)
test_dataloader = dict(in_order, dataset=test_dataset)
val_evaluator = [
    dict(type='mmdistill.TaskAccuracy', scores='logits'),
    dict(type='mmdistill.Calibration', scores='logits'),
]
test_evaluator = val_evaluator
# What Video Swin-T begins with.
weights = (
    '{weights_folder}/'
    '{weights_file}'
)
"""

EXPERT = """\
# The expert of {name}.
_base_ = [
    './_base_/datasets/own.py',
    'mmdistill::_base_/models/{model}.py',
    'mmdistill::_base_/default_runtime.py', 'mmdistill::_base_/schedules/adamw_30e.py',
]
heads = {{task: dict(_base_.head, num_classes=k) for task, k in _base_.num_classes.items()}}
{settings}{inputs}"""
# Of another modality than RGB.
INPUTS = """\
own = dict(dataset=dict({filtered}pipeline=dict(load=dict(inputs={name!r}))))
train_dataloader = val_dataloader = test_dataloader = own
"""
SETTINGS = dict(
    rgb='model = dict(cls_head=dict(heads=dict(_delete_=True, **heads)))\n'
    'load_from = _base_.weights\n',
    # Two channels and a constant one, so that the weights of RGB serve.
    flow='norm = dict(mean=[128.0] * 3, std=[32.0] * 3)\n'
    'model = dict(data_preprocessor=norm, cls_head=dict(heads=dict(_delete_=True, **heads)))\n'
    'load_from = _base_.weights\n',
    audio='norm = dict(mean=[0.0] * 3, std=[1.0] * 3)\n'
    'model = dict(data_preprocessor=norm, cls_head=dict(heads=dict(_delete_=True, **heads)))\n'
    'load_from = _base_.weights\n',
    obj='encoder = dict(num_categories={box_categories})\n'
    'model = dict(cls_head=dict(encoder=encoder, heads=dict(_delete_=True, **heads)))\n',
)
STUDENT = """\
# The student: it reads RGB, and learns from all experts.
_base_ = [
    './_base_/datasets/own.py',
    './_base_/teacher.py',
    'mmdistill::_base_/students/distilled.py',
]
recognizer = 'mmaction::recognition/swin/{swin}.py'
backbone = dict(pretrained=None, pretrained2d=False)
model = dict(tasks=_base_.num_classes, recognizer=dict(config=recognizer, backbone=backbone))
train_dataloader = holdout_dataloader = _base_.everything
load_from = _base_.weights
"""
EXPERT_ENTRY = "        {name}=dict(config='{name}.py', checkpoint='work_dirs/{name}/best_*.pth'),"
TEACHER_BASE = """\
# The experts, and what they read of training and holdout.
_base_ = 'mmdistill::_base_/teachers/weighted.py'
teacher = dict(
    experts=dict(
{experts}
    )
)
everything = dict(dataset=dict(pipeline=dict(load=dict(inputs={inputs!r}))))
"""
TEACHER = """\
# The teacher as a model of its own: tested, not trained.
_base_ = './student.py'
model = dict(_delete_=True, **_base_.teacher)
test_dataloader = _base_.everything
custom_hooks = [dict(type='mmdistill.TeacherWeightingHook')]
load_from = None
"""
TEST = (
    'mmdistill test configs/{name}.py{checkpoint} --out work_dirs/test/{name}/metrics.json '
    '--dump work_dirs/test/{name}/scores.npz'
)
REPORT = """\
# `mmdistill report` over what was tested.
title = {title!r}
models = dict(
{models}
)
"""


def project_files(folder: Path, request: Request, found: Found, command: str) -> dict[str, str]:
    """Path below the folder to content, of everything that a new project consists of."""
    experts = [name for name in KIND if name in request.media]
    files = {
        'configs/_base_/datasets/own.py': _dataset(folder, request, found),
        'configs/_base_/teacher.py': TEACHER_BASE.format(
            experts='\n'.join(EXPERT_ENTRY.format(name=name) for name in experts),
            inputs=tuple(experts),
        ),
        'configs/student.py': STUDENT.format(swin=SWIN),
        'configs/teacher.py': TEACHER,
        'configs/report.py': _report(folder, experts),
        'README.md': readme(folder, request, found, command),
        '.mmdistill': 'The root of a project: relative paths of its configs are found below it.\n',
    }
    for name in experts:
        files[f'configs/{name}.py'] = _expert(name, found)
    return files


def _dataset(folder: Path, request: Request, found: Found) -> str:
    flips = request.flip and not found.mirrored
    own = {name: f"dict(type='mmdistill.{KIND[name]}'" for name in KIND if name in request.media}
    more = dict(flow=', channels=3', obj=', max_boxes=10')
    modalities = [
        f'    {name}={start}{more.get(name, "")}{", optional=True" * (name in found.optional)}),'
        for name, start in own.items()
    ]
    size = f'{found.width} x {found.height} pixels, ' if found.width else ''
    clips = ', '.join(f'{count} in {name}' for name, count in found.clips.items())
    return DATASET.format(
        about=f'{size}{found.length} frames in the middle clip; clips: {clips}',
        data_root=below(request.data_root, folder),
        tasks=dict(found.tasks),
        frames=request.frames,
        size=request.size,
        shorter_side=round(request.size * 256 / 224),
        modalities='\n'.join(modalities),
        flip="    flip=dict(type='Flip', flip_ratio=0.5),\n" if flips else '',
        media=dict(request.media),
        classes={t: below(path, request.data_root) for t, path in request.classes.items()},
        holdout=dict(request.holdout),
        group=request.group,
        train=below(request.train, request.data_root),
        test=below(request.test, request.data_root),
        weights_folder=WEIGHTS.rpartition('/')[0],
        weights_file=WEIGHTS.rpartition('/')[2],
    )


def _expert(name: str, found: Found) -> str:
    model = 'stlt_ek100' if name == 'obj' else 'swin_tiny_ek100'
    settings = SETTINGS[name].format(box_categories=found.box_categories)
    # An expert cannot learn from clips that lack what it reads.
    filtered = f'filter_cfg=dict(media=[{name!r}]), ' if name in found.optional else ''
    inputs = '' if name == 'rgb' else INPUTS.format(name=name, filtered=filtered)
    return EXPERT.format(name=name, model=model, settings=settings, inputs=inputs)


def _report(folder: Path, experts: list[str]) -> str:
    lines = [
        "    baseline=dict(title='RGB baseline', role='baseline', test='work_dirs/test/rgb'),",
        "    student=dict(title='Student', role='student', test='work_dirs/test/student'),",
        *(
            f"    {name}=dict(title='Expert: {name}', role='expert', test='work_dirs/test/{name}'),"
            for name in experts
        ),
        "    teacher=dict(title='Teacher', role='teacher', test='work_dirs/test/teacher'),",
    ]
    return REPORT.format(title=folder.resolve().name, models='\n'.join(lines))


def below(path: Path, root: Path) -> str:
    """A path as it is named from a folder: relative to it where it lies below, else absolute."""
    path, root = Path(os.path.abspath(path)), Path(os.path.abspath(root))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def readme(folder: Path, request: Request, found: Found, command: str) -> str:
    """What was found, and the commands."""
    experts = [name for name in KIND if name in request.media]
    notes = _notes(request, found)
    tests = [(name, f" 'work_dirs/{name}/best_*.pth'") for name in (*experts, 'student')]
    tests.append(('teacher', ''))
    lines = [
        f'# {folder.resolve().name}',
        '',
        'Made by',
        '',
        f'    {command}',
        '',
        *(f'- {note}' for note in notes),
        '',
        '## From here to a student',
        '',
        'In this folder, or with the paths of the configs from any other:',
        '',
        '```bash',
        'mmdistill check configs/student.py --num 50',
        *(f'mmdistill train configs/{name}.py' for name in (*experts, 'student')),
        *(TEST.format(name=name, checkpoint=checkpoint) for name, checkpoint in tests),
        'mmdistill report configs/report.py',
        '```',
        '',
        'The experts start from the weights of Kinetics-400, which are downloaded; '
        '`--cfg-options load_from=None` starts from none.',
        '',
    ]
    return '\n'.join(lines)


def _notes(request: Request, found: Found) -> list[str]:
    tasks: Mapping[str, int] = found.tasks
    notes = [
        'Clips: ' + ', '.join(f'{count} in {name}' for name, count in found.clips.items()) + '.',
        'Classes: ' + ', '.join(f'{count} of {task}' for task, count in tasks.items()) + '.',
        f'A model sees {request.frames} frames of {request.size} x {request.size} pixels; the '
        f'middle clip has {found.length}.',
    ]
    if found.mirrored:
        notes.append(f'Clips are never mirrored: the class {found.mirrored!r} has a side.')
    elif not request.flip:
        notes.append('Clips are never mirrored.')
    if found.length < request.frames:
        notes.append('The middle clip is shorter than that: frames are repeated. See --frames.')
    for name in found.optional:
        notes.append(
            f'Some clips have no {name}: its expert leaves them out, the teacher does without.'
        )
    return notes
