"""The commands of the pages run, one after the other, as their reader types them."""

import glob
import shutil

import in_process
import pytest
from pages import PAGES, ROOT, commands, file_of
from workplace import add_models, clear_place, make_workplace

# What a command contains, and why it is not run here.
NOT_RUN = {
    'python -m projects.demo.results': 'trains for hours; projects/demo/tests run its parts',
    'python -m projects.demo.karmma': 'trains for an hour; its commands stand below it',
    'tools/dist_train.sh': 'wants 8 GPUs; tests/tools/test_train.py runs it with two processes',
    '--grid temperature=1,2,4': '54 trainings; tests/tools/test_sweep.py runs fewer',
    'WandbVisBackend': 'the package wandb is not ours',
    'data_root=/data/epic': 'stands for the folder of the reader',
    'projects.demo.render data/demo': 'the clips of the workplace are fewer',
}
# Everything else ends with 0.
EXIT_CODES = {'work_dirs/video_files/config.py': 1}  # some of its videos are damaged
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """A workplace that nobody changes."""
    root = make_workplace(tmp_path_factory.mktemp('documented') / 'clone')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(in_process, 'SECONDS', 600)
        add_models()
    return root


@pytest.fixture
def workplace(made, tmp_path, monkeypatch):
    """A page's own copy of it, as the current folder."""
    root = shutil.copytree(made, tmp_path / 'clone', symlinks=True)
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.setattr(in_process, 'SECONDS', 600)
    return root


def split(words):
    """The tool of a command, and its words."""
    number = next(i for i, word in enumerate(words) if word.startswith(('tools/', 'projects.')))
    return file_of(words[number]), [word for word in words[number + 1 :] if word != '&']


def expanded(words):
    """Words as a shell hands them over: a pattern that matches becomes its files."""
    words = [word.replace('scale=(-1,224)', 'scale=(-1,56)') for word in words]  # the crop's size
    found = [sorted(glob.glob(word)) or [word] if '*' in word else [word] for word in words]
    return [word for part in found for word in part]


PAGES_WITH_COMMANDS = [page for page in PAGES if commands(page)]


@pytest.mark.parametrize(
    'page', PAGES_WITH_COMMANDS, ids=[p.relative_to(ROOT).as_posix() for p in PAGES_WITH_COMMANDS]
)
def test_the_commands_of_a_page_run(page, workplace, capfd):
    failed = []
    for words in commands(page):
        if any(part in ' '.join(words) for part in NOT_RUN):
            continue
        tool, arguments = split(words)
        clear_place(tool, arguments)
        code = in_process.call_tool(tool, expanded(arguments))
        out = capfd.readouterr()
        expected = next((n for part, n in EXIT_CODES.items() if part in arguments), 0)
        if code != expected:
            failed.append((' '.join(words), code, out.err[-1500:] or out.out[-1500:]))
    assert not failed, '\n\n'.join(f'{c}: exit code {n}\n{e}' for c, n, e in failed)


def test_what_is_not_run_is_documented():
    documented = [' '.join(words) for page in PAGES for words in commands(page)]
    for part in NOT_RUN:
        assert any(part in command for command in documented), part
