"""Results as Markdown."""

from typing import NamedTuple

from mmdistill.evaluation.tables import markdown_lines

from .timing import Spread, Times, ratio


class Section(NamedTuple):
    """One part of the results.

    Attributes:
        key: Its letter in the list of goals.
        title: Its heading.
        text: Markdown below the heading.
    """

    key: str
    title: str
    text: str


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    return '\n'.join(markdown_lines(head, rows))


def goal_line(what: str, found: Spread, goal: float, at_most: bool) -> str:
    """`mmdistill ÷ floor: **1.03** (1.02 to 1.04); goal ≤ 1.05: met.`"""
    met = found.median <= goal if at_most else found.median >= goal
    sign = '≤' if at_most else '≥'
    missed = f'**missed by {abs(found.median / goal - 1):.0%}**'
    low, high = f'{found.low:.3f}', f'{found.high:.3f}'
    verdict = 'met' if met else missed
    return f'{what}: **{found.median:.3f}** ({low} to {high}); goal {sign} {goal:g}: {verdict}.'


def comparison(what: str, one: Times, other: Times, goal: float, at_most: bool = True) -> str:
    """`goal_line` of one over the other by wall clock, and the same by processor time."""
    line = goal_line(what, ratio(one.wall, other.wall), goal, at_most)
    return f'{line} By processor time {ratio(one.cpu, other.cpu).text()}.'
