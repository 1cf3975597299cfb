"""Draw the README's picture of the demo: a clip of every verb, its flow and its boxes.

    python -m projects.demo.draw_sheet docs/images/demo.png

The clips are drawn by the demo's renderer at four times its size, so that the page shows details.
Flow is computed by the extraction's estimator; boxes are the ground truth that trains the detector.
"""

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import mmdistill  # noqa: F401  (repairs upstream on import)
from mmdistill.evaluation.sample_clips import draw_boxes, flow_colours, speed
from mmdistill.extraction import DIS
from mmdistill.files import write_whole
from mmdistill.places import check_output
from mmdistill.ranges import SEED
from mmdistill.user_errors import one_line_errors

from .rendering.canvas import STORE_DENSITY
from .rendering.motion import VERBS
from .rendering.nouns import NOUNS
from .rendering.parameters import DemoParameters
from .rendering.scene import Request, Scene
from .rendering.table import draw_style, draw_surface

RENDER_SIZE = (512, 384)  # width, height
CELL = (144, 108)
GAP = 4
LABEL_WIDTH, HEADER_HEIGHT = 100, 22
CLIP_FRAMES = 16
SHOWN = (0, 5, 9, 14)
MIDDLE = 8  # the frame whose flow and boxes are shown
CLASSES = ['hand', *NOUNS]
COLOURS = 200


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('out', type=Path, help='the .png file')
    parser.add_argument('--seed', type=SEED, default=0, help='another seed, other kitchens')
    return parser.parse_args(argv)


def make_scene(index: int, seed: int) -> Scene:
    """A clip of the verb and the noun with this index, in a kitchen of its own."""
    rng = np.random.default_rng((seed, index))
    style = draw_style(rng)
    shape = tuple(round(side * STORE_DENSITY * RENDER_SIZE[1]) for side in (2.0, 2.4))
    surfaces = draw_surface(style, 0, shape, rng), draw_surface(style, 1, shape, rng)
    verb, noun = list(VERBS)[index], list(NOUNS)[index]
    request = Request(verb, noun, CLIP_FRAMES, 0, (seed, 1, index))
    return Scene(request, surfaces, RENDER_SIZE, DemoParameters())


def draw_row(scene: Scene) -> list[np.ndarray]:
    """The cells of one clip, (h, w, 3) RGB: frames, flow in colour, boxes."""
    frames = [cv2.cvtColor(scene.frame(i), cv2.COLOR_BGR2RGB) for i in range(CLIP_FRAMES)]
    before, after = (cv2.cvtColor(frames[i], cv2.COLOR_RGB2GRAY) for i in (MIDDLE, MIDDLE + 1))
    flow = DIS()(before, after)
    coloured = flow_colours(flow, max(1.0, float(np.quantile(speed(flow), 0.995))))
    scale = np.tile(RENDER_SIZE, 2)
    rows = [
        [*np.clip(box / scale, 0, 1), 1.0, CLASSES.index(name)] for name, box in scene.boxes(MIDDLE)
    ]
    boxed = draw_boxes(_small(frames[MIDDLE]), np.array(rows), CLASSES)
    return [*(_small(frames[i]) for i in SHOWN), _small(coloured), boxed]


def draw_sheet(seed: int) -> np.ndarray:
    """The whole picture, (H, W, 3) RGB."""
    num_columns = len(SHOWN) + 2
    width = LABEL_WIDTH + num_columns * (CELL[0] + GAP)
    sheet = np.full((HEADER_HEIGHT + len(VERBS) * (CELL[1] + GAP), width, 3), 255, np.uint8)
    titles = [(0, 'RGB: all that the student sees'), (len(SHOWN), 'flow'), (len(SHOWN) + 1, 'obj')]
    for column, title in titles:
        _write(sheet, title, (LABEL_WIDTH + column * (CELL[0] + GAP), 15))
    for index, verb in enumerate(VERBS):
        top = HEADER_HEIGHT + index * (CELL[1] + GAP)
        _write(sheet, verb, (4, top + CELL[1] // 2))
        for column, cell in enumerate(draw_row(make_scene(index, seed))):
            left = LABEL_WIDTH + column * (CELL[0] + GAP)
            sheet[top : top + CELL[1], left : left + CELL[0]] = cell
    return sheet


def _small(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, CELL, interpolation=cv2.INTER_AREA)


def _write(image: np.ndarray, text: str, left_bottom: tuple[int, int]) -> None:
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(image, text, left_bottom, font, 0.44, (40, 40, 40), 1, cv2.LINE_AA)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Draw and write."""
    args = parse_args(argv)
    check_output(args.out)
    picture = Image.fromarray(draw_sheet(args.seed)).quantize(COLOURS, dither=Image.Dither.NONE)
    content = io.BytesIO()
    picture.save(content, format='png', optimize=True)
    write_whole(args.out, content.getvalue())
    print(f'{args.out}: {args.out.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    main()
