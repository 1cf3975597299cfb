"""The pages of the project, and the commands and files that they give their reader."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').rglob('*.md'))]
PAGES += sorted((ROOT / 'projects').rglob('*.md'))
BLOCK = re.compile(r'^```(\w*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page that are marked with this language."""
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def file_name(block: str) -> str | None:
    """The file that a snippet is, from its first line."""
    found = re.match(r'# ([\w/-]+\.py)\n', block)
    return found and found[1]


def commands(page: Path) -> list[list[str]]:
    """Every command of a page that starts a tool, as words."""
    found = []
    for block in blocks(page, 'bash'):
        for name, words in re.findall(r'^(\w+)=\((.*?)\)$', block, re.MULTILINE | re.DOTALL):
            block = block.replace(f'"${{{name}[@]}}"', ' '.join(words.split()))
        for line in block.replace('\\\n', ' ').splitlines():
            words = [w for word in shlex.split(line, comments=True) for w in expand(word)]
            if any(word.startswith(('tools/', 'projects.')) for word in words):
                found.append(words)
    return found


def file_of(program: str) -> str:
    """The file of a program that a command names by its path, or as a module after `-m`."""
    return program if '/' in program else f'{program.replace(".", "/")}.py'


def expand(word: str) -> list[str]:
    """Bash's braces; a template's placeholder, without a comma, is none."""
    found = re.fullmatch(r'(.*?)\{([^{}]*,[^{}]*)\}(.*)', word)
    return [f'{found[1]}{x}{found[3]}' for x in found[2].split(',')] if found else [word]
