"""The report for people: one HTML file with everything inside it."""

import base64
import re
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np
from markupsafe import Markup, escape

from .figures import colour_of

TEMPLATE = Path(__file__).with_name('report.html.j2')
JPEG_QUALITY = 88


def svg_uri(svg: str) -> str:
    """An SVG drawing as the source of an `img`; so its ids cannot meet those of another one."""
    return f'data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}'


def image_uri(image: np.ndarray) -> str:
    """A uint8 RGB picture as JPEG, an RGBA one as PNG, as the source of an `img`."""
    transparent = image.shape[2] == 4
    order = cv2.COLOR_RGBA2BGRA if transparent else cv2.COLOR_RGB2BGR
    extension, options = ('.png', []) if transparent else ('.jpg', _jpeg())
    written, content = cv2.imencode(extension, cv2.cvtColor(image, order), options)
    if not written:
        raise ValueError(f'Cannot encode a picture of shape {image.shape} as {extension}.')
    kind = 'png' if transparent else 'jpeg'
    return f'data:image/{kind};base64,{base64.b64encode(content.tobytes()).decode()}'


def _jpeg() -> list[int]:
    return [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]


def render_html(report: dict[str, Any], pictures: dict[str, Any]) -> str:
    """Fill the page.

    Args:
        report: The content of report.json.
        pictures: `tables` (key to `Table`), `reliability` (task to figures of a title and `img`
            sources), `pareto` and `views` (sources), `missing` and `curves` (title, source),
            `weights` (title, task to expert to weight), and what `example_clips` returns.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(percent=percent, code=code, expert_colour=colour_of)
    template = environment.from_string(TEMPLATE.read_text(encoding='utf-8'))
    return template.render(report=report, rows=report['rows'], **pictures)


def percent(value: float | None, digits: int = 1) -> str:
    """A fraction in percent; a dash where there is none."""
    return '–' if value is None else f'{100 * value:.{digits}f}'


def code(text: str) -> Markup:
    """A sentence in which `commands` stand in backticks."""
    return Markup(re.sub('`([^`]*)`', r'<code>\1</code>', str(escape(text))))
