"""Whatever a name is made of, LaTeX, Markdown and HTML show that name."""

import random
import re

import pytest
from markdown_it import MarkdownIt

from mmdistill.evaluation import escape
from mmdistill.evaluation.comparison_text import confusion_table
from mmdistill.evaluation.cost_figures import pareto_plot
from mmdistill.evaluation.tables import Column, latex_table, markdown_table

NASTY = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[click](javascript:alert(1))',
    '![x](y)',
    'a|b||c|',
    '\\',
    'ends with \\',
    '\\| \\\\| \\',
    '`code` and ``more``',
    '**bold** *em* __b__ _e_ ~~gone~~ ~x~',
    'slowonly_r50 a_ _b c__d',
    '# heading',
    '- item',
    '+ item',
    '1. first',
    '12) twelfth',
    '===',
    '> quote',
    '&lt;b&gt; &amp; &#35; R&D a & b',
    '$x^2$ and $$y$$',
    '100 % {of} #1 & ~all_of\\it^2',
    "\"quoted\" 'single' ``double''",
    'two\nlines\r\nand\ttab',
    '[^1] [ref]: x',
    '*',
    '[0.5em] after a row',
    'a--b---c - d',
    'x → y × 3 – 4 − 5',
    'http://a_b.c/?d=<e>&f',
    'Größe 中文 🙂',
    '',
]
CHARACTERS = '\\{}$&#^_~%<>"\'`|*[]()!-+=.1a b\n'


def names() -> list[str]:
    draw = random.Random(0)
    return NASTY + [''.join(draw.choices(CHARACTERS, k=draw.randrange(1, 14))) for _ in range(1500)]


def shown_by_markdown(token) -> str:
    """The text of an inline token; fails where it is anything but text and emphasis around it."""
    assert {child.type for child in token.children} <= {
        'text',
        'text_special',
        'strong_open',
        'strong_close',
    }
    return ''.join(child.content for child in token.children)


def unescaped_latex(text: str) -> str:
    """What LaTeX prints, for what `escape.latex` may write and nothing else."""
    known = {
        r'\textbackslash{}': '\\',
        r'\textasciicircum{}': '^',
        r'\textasciitilde{}': '~',
        r'\textless{}': '<',
        r'\textgreater{}': '>',
        r'\textbar{}': '|',
        r'\symbol{34}': '"',
        r'\textquotesingle{}': "'",
        r'\textasciigrave{}': '`',
        '{-}': '-',
        '{[}': '[',
        '{]}': ']',
        '{*}': '*',
        '$-$': '−',
        r'$\times$': '×',
        r'$\to$': '→',
        '--': '–',
        **{f'\\{char}': char for char in '&%$#_{}'},
    }
    pattern = '|'.join(re.escape(key) for key in sorted(known, key=len, reverse=True))
    rest = re.sub(pattern, '', text)
    assert not set(rest) & set('\\{}$&#^_~%<>"\'`|[]*'), f'{text!r} leaves {rest!r}'
    return re.sub(pattern, lambda found: known[found[0]], text)


def test_latex_shows_the_name():
    for name in names():
        assert unescaped_latex(escape.latex(name)) == escape.one_line(name), name


@pytest.mark.parametrize('preset', ['commonmark', 'gfm-like'])
def test_markdown_shows_the_name(preset):
    """In a sentence, a heading and a list."""
    parser = MarkdownIt(preset, {'linkify': False})
    for name in filter(escape.one_line, names()):
        for begin, kind in (('', 'paragraph'), ('## ', 'heading'), ('- ', 'bullet_list')):
            tokens = parser.parse(f'{begin}{escape.markdown(name)}\n')
            inline = [token for token in tokens if token.type == 'inline']
            assert tokens[0].type == f'{kind}_open' and len(inline) == 1, name
            assert shown_by_markdown(inline[0]) == escape.one_line(name)


def test_a_table_of_markdown_keeps_its_cells():
    parser = MarkdownIt('gfm-like', {'linkify': False, 'html': True})
    columns = [Column('top-1', 'acc', 100.0)]
    for role in ('baseline', 'student'):
        for name in filter(escape.one_line, names()):
            rows = [{'title': name, 'role': role, 'acc': 0.5}]
            tokens = parser.parse(markdown_table(rows, columns, name))
            cells = [token for token in tokens if token.type == 'inline']
            shown = [shown_by_markdown(token) for token in cells]
            assert shown == [escape.one_line(name), 'top-1', escape.one_line(name), '50.0'], name


@pytest.mark.parametrize('name', [r'$\nothing{', 'a$b$c', '$', r'\frac'])
def test_a_figure_shows_the_name(name):
    models = [
        dict(name=name, title=name, flops=flops, latency_ms=flops, metrics={'acc': 0.5})
        for flops in (1e6, 2e6)
    ]
    assert f'>{name}<' in pareto_plot(models, 'acc', ['flops'])


def test_class_names_of_a_comparison():
    rows = [{'class': 0, 'named': 1, 'baseline': 1.0, 'model': 2.0}]
    lines = confusion_table(rows, ['<b>|', '[x](y)'])
    assert r'| \<b\>\| | \[x\](y) | 1.0 |' in '\n'.join(lines)


def test_a_table_of_latex_has_a_line_per_row():
    """No name ends a row, opens a group, or is an argument of the end of the row before."""
    columns = [Column('top-1', 'acc', 100.0)]
    for name in names():
        rows = [{'title': name, 'role': role, 'acc': 0.5} for role in ('student', 'baseline')]
        lines = latex_table(rows, columns, name).splitlines()
        assert len(lines) == 8 and all(
            line.count('&') - line.count(r'\&') == 1 for line in (lines[2], *lines[4:6])
        )
        assert not re.match(r'\s*[\[*]', lines[5])
