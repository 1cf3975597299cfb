"""Whether teacher and data mean the same by a class number, as far as they name their classes."""

from typing import Any

from ..joint_actions import ACTION

ClassNames = dict[str, list[str]]  # task -> names, in the order of the logits


def class_names_of(metainfo: dict[str, Any] | None) -> ClassNames:
    """Class names from the `metainfo` of a data set, ours or upstream's; {} if it has none."""
    names = (metainfo or {}).get('classes') or {}
    return dict(names) if isinstance(names, dict) else {ACTION: list(names)}


def check_class_names(known: dict[str, ClassNames]) -> None:
    """Compare the class names of data sets and experts.

    Args:
        known: Whose they are, such as "expert 'flow'", to its names; {} where it has none.

    Raises:
        ValueError: Two of them have other names or another order for a task that both know.
    """
    first: dict[str, tuple[str, list[str]]] = {}
    for owner, names_by_task in known.items():
        for task, names in names_by_task.items():
            other, expected = first.setdefault(task, (owner, names))
            if list(names) == list(expected):
                continue
            pairs = enumerate(zip(names, expected, strict=False))
            differs = next((i for i, (a, b) in pairs if a != b), min(len(names), len(expected)))
            ours, theirs = (
                repr(x[differs]) if differs < len(x) else 'none' for x in (names, expected)
            )
            raise ValueError(
                f'{owner} and {other} number the classes of {task!r} differently: class {differs} '
                f'is {ours} for {owner}, {theirs} for {other}. Train all experts on the class '
                'files of this data set.'
            )
