"""Names of models, classes and files as text of LaTeX and Markdown: what is shown is what they are.

HTML is escaped by its template; CSV and JSON hold the names as they are.
"""

import re

# What LaTeX takes for commands, or would print as another character. Brackets and stars are
# arguments of the `\\` and `\midrule` before them.
LATEX = {
    '\\': r'\textbackslash{}',
    '^': r'\textasciicircum{}',
    '~': r'\textasciitilde{}',
    '<': r'\textless{}',
    '>': r'\textgreater{}',
    '|': r'\textbar{}',
    '"': r'\symbol{34}',
    "'": r'\textquotesingle{}',
    '`': r'\textasciigrave{}',
    **{char: f'\\{char}' for char in '&%$#_{}'},
    **{char: f'{{{char}}}' for char in '[]*'},
}
# What our own numbers and titles are made of.
LATEX_SYMBOLS = {'−': '$-$', '–': '--', '×': r'$\times$', '→': r'$\to$'}

_LATEX = re.compile(f'-(?=-)|[{re.escape("".join(LATEX | LATEX_SYMBOLS))}]')
_MARKDOWN = re.compile(r'[\\`*\[\]<>|~$#]|&(?=[#\w])')
# Within a word it is no emphasis.
_UNDERSCORE = re.compile(r'(?<![^\W_])_|_(?![^\W_])')
# At the beginning of a line: a list, a rule, a heading's underline.
_LEADING = re.compile(r'^([-+=]|\d+(?=[.)]))')


def one_line(text: object) -> str:
    """Text without line breaks and control characters, and single spaces."""
    return ' '.join(re.sub(r'[\x00-\x1f\x7f-\x9f\u2028\u2029]', ' ', str(text)).split())


def latex(text: str) -> str:
    """A text as LaTeX shows it, in any cell of a table.

    A double quote is a character by number: `\\textquotedbl` needs another font encoding.
    """
    characters = LATEX | LATEX_SYMBOLS | {'-': '{-}'}  # two of them would be a dash
    return _LATEX.sub(lambda found: characters[found[0]], one_line(text))


def latex_number(text: str) -> str:
    """A number or an interval with our signs, which has nothing else to escape."""
    return ''.join(LATEX_SYMBOLS.get(char, char) for char in text)


def markdown(text: str) -> str:
    """A text as CommonMark and GitHub show it: in a cell, a heading or a sentence."""
    text = _MARKDOWN.sub(r'\\\g<0>', one_line(text))
    text = _UNDERSCORE.sub(r'\_', text)
    leading = _LEADING.match(text)
    if leading is None:
        return text
    if leading[0].isdigit():
        return f'{leading[0]}\\{text[leading.end() :]}'
    return f'\\{text}'
