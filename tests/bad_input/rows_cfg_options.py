"""Mistakes in `--cfg-options` and in configs: each is one line that names the key or the part."""

from pathlib import Path

from bad_row import Row, replace_text

TRAIN, TEST = 'tools/train.py', 'tools/test.py'
EXPERT = 'expert.py --work-dir new --cfg-options'
STARTED = ['new/**']  # a runner makes its work dir first


def option(what: str, words: str, expected: str, **more) -> Row:
    """A training with these options; what argparse refuses has exit code 2."""
    return Row(TRAIN, what, f'{EXPERT} {words}', expected, **more)


def written(what: str, line: str, expected: str, **more) -> Row:
    """A training by a config that ends with this line."""

    def prepare(here: Path) -> None:
        with (here / 'expert.py').open('a') as file:
            file.write(f'{line}\n')

    return Row(TRAIN, what, 'expert.py --work-dir new', expected, prepare=prepare, **more)


ROWS = [
    option('an option without =', 'train_cfg.max_epochs', 'is no key=value', code=2),
    option('an option without a key', '=5', 'a key with an empty part', code=2),
    option('a bracket left open', "'a=[1,2'", 'bracket that is not closed', code=2),
    option('a dict as value', "'a=dict(type=X)'", 'is a dict; give its entries', code=2),
    option(
        'an index too large',
        'val_evaluator.5.topk=1',
        'Index 5 exceeds the length of list val_evaluator',
    ),
    option('a name as index', 'val_evaluator.first=1', 'val_evaluator is a list of 2; write an'),
    option('an entry of a text', 'train_cfg.type.x=1', "train_cfg.type is 'EpochBasedTrainLoop'"),
    option('an entry of None', 'load_from.x=1', 'load_from is None, which has no entries'),
    option('a key and one below it', 'train_cfg=1 train_cfg.x=1', 'gives both train_cfg and'),
    option('a hook that is not there', 'default_hooks.reprot=None', 'no such hook, only'),
    option('a root that is not there', 'expert_dir=x', "no top-level 'expert_dir' to change"),
    option(
        'a hook of no type',
        'custom_hooks.0.interval=1',
        '"type"',
        left=STARTED,
    ),
    option(
        'a hook of an unknown type',
        'custom_hooks.0.type=Wings',
        'Wings is not in the .*hook registry',
        left=STARTED,
    ),
    option(
        'an argument that the optimizer has not',
        'optim_wrapper.optimizer.rate=1',
        "The part optim_wrapper.optimizer .*type='SGD'.*unexpected keyword argument 'rate'",
        left=STARTED,
    ),
    option(
        'a negative learning rate',
        'optim_wrapper.optimizer.lr=-1',
        'The part optim_wrapper.optimizer .*Invalid learning rate',
        left=STARTED,
    ),
    option(
        'an argument that the backbone has not',
        'model.backbone.depht=18',
        "The part model.backbone .*type='ResNet3d'.*",
        left=STARTED,
    ),
    option(
        'a depth that the backbone has not',
        'model.backbone.depth=19',
        'The part model.backbone .*19',
        left=STARTED,
    ),
    option('no training', 'train_cfg=None', 'train_dataloader, train_cfg', left=STARTED),
    option('no model', 'model=None', 'model', left=STARTED),
    option('a batch size that is a text', 'train_dataloader.batch_size=x', 'batch', left=STARTED),
    written('a name that is not defined', 'x = undefined', r'undefined.*expert.py, line \d+'),
    written('an entry that is not there', "x = _base_['model']", 'expert.py cannot be read'),
    written('a line that is not Python', 'x = = 1', 'expert.py cannot be read: invalid syntax'),
    written(
        'an import that is not there',
        "custom_imports = dict(imports=['no_such_module'])",
        'Failed to import custom modules from .*no_such_module',
    ),
    Row(
        TEST,
        'a metric of an unknown type',
        'expert.py expert.pth --cfg-options test_evaluator.0.type=Beauty',
        'Beauty is not in the .*metric registry',
        left=['work_dirs/**'],
    ),
    Row(
        TEST,
        'a config whose base is missing',
        'expert.py expert.pth',
        r"No such file or directory: '.*gone\.py'",
        prepare=lambda here: replace_text(here / 'expert.py', 'default_runtime.py', 'gone.py'),
    ),
    Row('tools/data/check.py', 'an option without =', 'expert.py --cfg-options x', 'no key=', 2),
    Row(
        'tools/cache_teacher.py',
        'an option without =',
        'distill.py c --cfg-options x',
        'no key=',
        2,
    ),
    Row(
        'tools/sweep.py',
        'an axis without values',
        'distill.py --cache cache --grid temperature',
        "'temperature' is no key=value",
        2,
    ),
    Row(
        'tools/analysis/compare.py',
        'classes without a task',
        'scores.npz other.npz --classes classes.csv',
        "'classes.csv' is no key=value",
        2,
    ),
]
