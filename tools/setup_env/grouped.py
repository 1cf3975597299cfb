"""mmcv's C++ files in a few groups: torch's headers, most of the work, are read once per group."""

import re
from pathlib import Path

PARTS = 'parts'  # where a grouped file goes: setup.py compiles only what lies beside this folder

_MACRO = re.compile(r'^\s*#\s*define\s+(\w+)', re.MULTILINE)
# A function or a type that starts in the first column, as clang-format leaves top-level ones.
_FUNCTION = re.compile(r'^[A-Za-z_][\w:<>,*& \t\n]*?[*&\s](\w+)\s*\([^;{}()]*\)\s*\{', re.MULTILINE)
_TYPE = re.compile(r'^(?:struct|class|enum|using)\s+(\w+)[^;{]*[{=]', re.MULTILINE)


def defined_names(source: str) -> set[str]:
    """Functions and types that a C++ file defines at its top level."""
    return {*_FUNCTION.findall(source), *_TYPE.findall(source)}


def make_groups(sources: dict[str, str], count: int) -> list[list[str]]:
    """Split files into at least `count` groups of like size, none with a name defined twice.

    Args:
        sources: The text of each file.
        count: Groups to begin with; more are made where names collide.
    """
    groups: list[list[str]] = [[] for _ in range(min(count, len(sources)))]
    names: list[set[str]] = [set() for _ in groups]
    sizes = [0] * len(groups)
    for file in sorted(sources, key=lambda file: (-len(sources[file]), file)):
        defined = defined_names(sources[file])
        free = [i for i, taken in enumerate(names) if not taken & defined]
        if not free:
            groups.append([]), names.append(set()), sizes.append(0)
            free = [len(groups) - 1]
        best = min(free, key=sizes.__getitem__)
        groups[best].append(file)
        names[best] |= defined
        sizes[best] += len(sources[file])
    return groups


def group_folder(folder: Path, count: int) -> int:
    """Replace the C++ files of a folder by groups that include them; returns how many there are.

    A file's macros end with it, since one of mmcv's calls two of its own `min` and `max`.
    """
    files = {path.name: path.read_text() for path in sorted(folder.glob('*.cpp'))}
    (folder / PARTS).mkdir()
    for name in files:
        (folder / name).rename(folder / PARTS / name)
    groups = make_groups(files, count)
    for number, group in enumerate(groups):
        lines = []
        for name in group:
            lines.append(f'#include "{PARTS}/{name}"')
            lines += [f'#undef {macro}' for macro in dict.fromkeys(_MACRO.findall(files[name]))]
        (folder / f'group_{folder.name}_{number}.cpp').write_text('\n'.join(lines) + '\n')
    return len(groups)
