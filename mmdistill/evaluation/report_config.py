"""What a report is about: the models, where their results are, and what else is to be shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..config_paths import Places
from ..config_tools import ROOT_VARIABLES, load_config, own_options
from ..files import find_file
from .report_data import read_metrics
from .score_groups import SCORES

ROLES = ('baseline', 'expert', 'teacher', 'student')
MODEL_KEYS = {
    *('title', 'role', 'test', 'config', 'cfg_options', 'reads', 'train', 'holdout', 'views')
}
VIEWS_KEYS = {'dump', 'clips', 'crops'}
DETECTOR_KEYS = {'config', 'checkpoint', 'train'}
COST_KEYS = {'repeats', 'batch_sizes'}
PATH_KEYS = {
    *('test', 'holdout', 'views', 'dump', 'train', 'config', 'checkpoint', 'stages', 'data_root'),
    'missing',
}


class ViewsDump(NamedTuple):
    """A dump of many views of every clip."""

    dump: str
    clips: int = 1
    crops: int = 1


class ModelFiles(NamedTuple):
    """What the tools wrote about a model; None for what there is not."""

    test: Path  # folder of metrics.json and scores.npz
    holdout: str | None = None  # dump
    views: ViewsDump | None = None
    train: Path | None = None  # work dir with the scalars of a training, or of a teacher's test


@dataclass(frozen=True)
class ReportModel:
    """A model of the report.

    Args:
        name: Identifier, the key in the config.
        title: What people call it.
        role: One of `ROLES`.
        files: Its results.
        config: Its own config; by default the one that it was tested with.
        cfg_options: Overrides of that config, those of the test included.
        reads: Modalities that enter it, where its test pipeline does not say so.
    """

    name: str
    title: str
    role: str
    files: ModelFiles
    config: str
    cfg_options: Mapping[str, Any] = field(default_factory=dict)
    reads: tuple[str, ...] = ()

    @property
    def metrics(self) -> Path:
        """What `mmdistill test --out` wrote."""
        return self.files.test / 'metrics.json'

    @property
    def scores(self) -> str:
        """What `mmdistill test --dump` wrote."""
        return str(self.files.test / SCORES)

    @property
    def test_command(self) -> str:
        """How the model is tested, to be continued by flags."""
        checkpoint = '' if self.role == 'teacher' else ' CHECKPOINT'
        return f'mmdistill test {self.config}{checkpoint}'


class CostSettings(NamedTuple):
    """How costs are measured."""

    repeats: int = 25
    batch_sizes: tuple[int, ...] = ()


class Detector(NamedTuple):
    """The detector that makes the boxes."""

    config: str
    checkpoint: str
    train: Path | None = None  # work dir of its training, for its average precision


class Heading(NamedTuple):
    """The top of the page."""

    title: str
    subtitle: str = ''


@dataclass(frozen=True)
class ReportConfig:
    """A report as its config describes it.

    Args:
        heading: Title, and a sentence below it.
        models: In the order of the tables.
        cost: How costs are measured; None for not at all.
        detector: Of the models that read boxes.
        clips: Whether sample clips are shown, which takes the media files.
        setting: Lines of the table at the end, name to text.
        stages: Folder of the stamps of a chain of tools, for time and memory.
        out: Where the report is written, unless the command line says otherwise.
        missing: Folder of what `mmdistill missing-modalities compare` wrote.
    """

    heading: Heading
    models: tuple[ReportModel, ...]
    cost: CostSettings | None
    detector: Detector | None
    clips: bool
    setting: Mapping[str, str]
    stages: Path | None
    out: Path
    missing: Path | None = None

    def first(self, role: str) -> ReportModel | None:
        """The first model of a role: the one that headlines speak of."""
        return next((model for model in self.models if model.role == role), None)


def read_report_config(path: str, cfg_options: Mapping[str, Any] | None = None) -> ReportConfig:
    """Read and check the config of a report.

    Args:
        path: The config; `data_root` and `expert_dir` in it hold for the configs of the models.
        cfg_options: Overrides of it.

    Raises:
        FileNotFoundError: A file is named that is not there; says which command makes it.
        ValueError, KeyError: An entry is missing, unknown or impossible.
    """
    cfg = load_config(path, dict(cfg_options or {}), PATH_KEYS)
    if not cfg.get('models') or not isinstance(cfg.models, dict):
        raise ValueError(
            f'{path} has no models: give models=dict(NAME=dict(role=…, test=FOLDER)), as '
            'docs/report.md shows.'
        )
    places = Places(path)
    roots = {name: cfg[name] for name in ROOT_VARIABLES if name in cfg}
    options = {**cfg.get('cfg_options', {}), **roots}
    models = tuple(_model(name, entry, options, places) for name, entry in cfg.models.items())
    titles = [model.title for model in models]
    if len(set(titles)) < len(titles):
        raise ValueError(f'The models are called {titles}: give each its own title.')
    cost = cfg.get('cost', {})
    if cost is not False:
        _check_keys('cost', cost, COST_KEYS)
        cost = {**cost, 'batch_sizes': tuple(cost.get('batch_sizes', ()))}
    return ReportConfig(
        heading=Heading(cfg.get('title', Path(path).stem), cfg.get('subtitle', '')),
        models=models,
        cost=None if cost is False else CostSettings(**cost),
        detector=_detector(cfg.get('detector')),
        clips=bool(cfg.get('clips', True)),
        setting=dict(cfg.get('setting', {})),
        stages=_folder(cfg.get('stages'), 'stages', 'the demo and mmdistill sweep write it'),
        missing=_folder(
            cfg.get('missing'), 'missing', '`mmdistill missing-modalities compare` writes it'
        ),
        out=Path(cfg.get('work_dir') or places.output(f'work_dirs/{Path(path).stem}')),
    )


def _model(
    name: str, entry: Mapping[str, Any], options: Mapping[str, Any], places: Places
) -> ReportModel:
    where = f'models.{name}'
    _check_keys(where, entry, MODEL_KEYS)
    role = entry.get('role')
    if role not in ROLES:
        raise ValueError(f'{where}: role is one of {list(ROLES)}, got {role!r}.')
    if 'test' not in entry:
        raise ValueError(f'{where}: test is missing, the folder of metrics.json and {SCORES}.')
    test = Path(entry['test'])
    tested = _tested(test, entry.get('config'))
    config = entry.get('config') or places.find(tested['config'])
    used = {**tested.get('cfg_options', {}), **entry.get('cfg_options', {}), **options}
    reads = entry.get('reads', ())
    model = ReportModel(
        name=name,
        title=entry.get('title', name.replace('_', ' ')),
        role=role,
        files=ModelFiles(test),
        config=config,
        cfg_options=own_options(config, used),
        reads=(reads,) if isinstance(reads, str) else tuple(reads),
    )
    return _with_files(model, entry)


def _tested(test: Path, config: str | None) -> dict[str, Any]:
    """What the test wrote about itself; checks that both files are there."""
    missing = [name for name in ('metrics.json', SCORES) if not (test / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f'{test} lacks {" and ".join(missing)}: write both with `mmdistill test '
            f'{config or "CONFIG"} CHECKPOINT --out {test}/metrics.json --dump {test}/{SCORES}`.'
        )
    tested = read_metrics(test / 'metrics.json')
    if tested.get('holdout'):
        raise ValueError(f'{test}/metrics.json is of the holdout: test without --holdout.')
    if not (config or tested.get('config')):
        raise ValueError(f'{test}/metrics.json does not say its config: give it beside test.')
    return tested


def _with_files(model: ReportModel, entry: Mapping[str, Any]) -> ReportModel:
    """The model with the optional files of its entry, which must be there if they are named."""
    where, command = f'models.{model.name}', model.test_command
    holdout = entry.get('holdout')
    if holdout is not None:
        holdout = _dump(holdout, f'{where}.holdout', f'{command} --holdout --dump {holdout}')
    views = entry.get('views')
    if views is not None:
        _check_keys(f'{where}.views', views, VIEWS_KEYS)
        if 'dump' not in views:
            raise ValueError(f'{where}.views: dump is missing, the .npz file of all views.')
        more = 'test_dataloader.dataset.pipeline.sample.num_clips'
        made_by = f'{command} --dump {views["dump"]} --cfg-options {more}={views.get("clips", 5)}'
        dump = _dump(views['dump'], f'{where}.views', made_by)
        views = ViewsDump(dump, views.get('clips', 1), views.get('crops', 1))
    trained_by = f'`mmdistill train {model.config}` makes it'
    train = _folder(entry.get('train'), f'{where}.train', trained_by)
    files = ModelFiles(model.files.test, holdout, views, train)
    return ReportModel(**{**vars(model), 'files': files})


def _dump(path: str, where: str, command: str) -> str:
    dump = Path(path) / SCORES if Path(path).is_dir() else Path(path)
    if not dump.is_file():
        raise FileNotFoundError(f'{where}: there is no dump {dump}; write it with `{command}`.')
    return str(dump)


def _folder(path: str | None, where: str, advice: str) -> Path | None:
    if path is None or Path(path).is_dir():
        return None if path is None else Path(path)
    raise FileNotFoundError(f'{where}: there is no folder {path}; {advice}.')


def _detector(entry: Mapping[str, Any] | None) -> Detector | None:
    if entry is None:
        return None
    _check_keys('detector', entry, DETECTOR_KEYS)
    missing = sorted({'config', 'checkpoint'} - entry.keys())
    if missing:
        raise ValueError(f'detector lacks {missing}: give its config and its checkpoint.')
    advice = f'`mmdistill train {entry["config"]}` trains one'
    checkpoint = find_file(entry['checkpoint'], 'detector.checkpoint', advice)
    train = _folder(entry.get('train'), 'detector.train', 'give the work dir of its training')
    return Detector(entry['config'], checkpoint, train)


def _check_keys(where: str, entry: Any, known: set[str]) -> None:
    if not isinstance(entry, Mapping):
        raise ValueError(f'{where} is a dict with some of {sorted(known)}, got {entry!r}.')
    unknown = sorted(entry.keys() - known)
    if unknown:
        raise ValueError(f'{where} has the unknown keys {unknown}; it takes {sorted(known)}.')
