"""Make an animated picture of an annotated video, as docs/deployment.md shows one.

python -m projects.demo.draw_clip annotated/P01_101.mp4 docs/images/predicted.webp --seconds 8
"""

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

import mmdistill  # noqa: F401  (repairs upstream on import)
from mmdistill.files import write_whole
from mmdistill.places import check_output
from mmdistill.ranges import ONE_OR_MORE, POSITIVE
from mmdistill.user_errors import one_line_errors
from mmdistill.video import index_video, read_clip

QUALITY = 60


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('video', type=Path, help='what mmdistill predict --out-video wrote')
    parser.add_argument('out', type=Path, help='the .webp file')
    parser.add_argument('--seconds', type=POSITIVE, default=8.0, help='from the beginning')
    parser.add_argument('--width', type=ONE_OR_MORE, default=384, help='pixels')
    args = parser.parse_args(argv)
    if args.out.suffix != '.webp':
        parser.error(f'OUT must end with .webp, got {args.out}')
    return args


def animated(video: Path, seconds: float, width: int) -> bytes:
    """The first seconds of a video as an animated WebP that repeats."""
    index = index_video(video)
    count = min(index.num_frames, max(1, round(seconds * index.frames_per_second)))
    frames = read_clip(video, np.arange(count))
    height = round(frames.shape[1] * width / frames.shape[2])
    pictures = [Image.fromarray(frame).resize((width, height)) for frame in frames]
    content = io.BytesIO()
    pictures[0].save(
        content,
        'WEBP',
        save_all=True,
        append_images=pictures[1:],
        duration=round(1000 / index.frames_per_second),
        loop=0,
        quality=QUALITY,
    )
    return content.getvalue()


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Draw, and write the file."""
    args = parse_args(argv)
    check_output(args.out, inputs=[args.video])
    write_whole(args.out, animated(args.video, args.seconds, args.width))
    print(f'Wrote {args.out} ({args.out.stat().st_size / 1e3:.0f} kB)')


if __name__ == '__main__':
    main()
