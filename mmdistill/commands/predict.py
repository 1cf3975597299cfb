"""Predict the actions of videos with a published model.

    mmdistill predict video.mp4 holiday/ 'clips/*.mkv' --model student.safetensors --topk 3
    mmdistill predict long.mp4 --model student.safetensors --window 2 --stride 1 \\
        --out-json long.json --out-csv long.csv --out-video annotated/
    mmdistill predict 0 --model student.safetensors --window 2 --stride 0.5     # a webcam
    mmdistill predict rtsp://camera/1 --model student.safetensors

Without --window a video is one clip. With it a window slides over the video, and windows that
follow each other and predict the same become a segment. Of a webcam's number or an address it
predicts live, a line each, until that ends or Ctrl-C; it drops frames rather than falling behind. A
video that cannot be read is named at the end, with exit code 1; the others are done.
"""

import argparse
import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ..deploy import ActionInferencer, Prediction, Segment, load_model, merge_windows
from ..deploy.annotated_video import write_annotated
from ..deploy.inferencer import PRECISIONS
from ..deploy.sources import video_paths
from ..files import write_whole
from ..places import check_output
from ..ranges import BATCH, ONE_OR_MORE, POSITIVE
from ..user_errors import one_line_errors
from ..video import VideoError


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'videos', nargs='+', help='files, folders or quoted patterns; a webcam or an address'
    )
    parser.add_argument('--model', required=True, type=Path, help='published or exported')
    parser.add_argument('--topk', type=ONE_OR_MORE, default=5, help='classes that are shown')
    parser.add_argument('--window', type=POSITIVE, help='seconds that a prediction covers')
    parser.add_argument('--stride', type=POSITIVE, help='seconds to the next; default: window / 2')
    parser.add_argument(
        '--timeout', type=POSITIVE, default=10.0, help='seconds to wait for a frame, live'
    )
    parser.add_argument('--clips', type=ONE_OR_MORE, help='temporal clips per video')
    parser.add_argument('--crops', type=int, choices=(1, 3), help='spatial crops')
    parser.add_argument('--batch-size', type=BATCH, default=8)
    parser.add_argument('--device', default='auto', help='cpu, cuda, cuda:1, …')
    parser.add_argument('--precision', choices=PRECISIONS, default='fp32')
    parser.add_argument('--out-json', type=Path, help='predictions and segments; replaced')
    parser.add_argument('--out-csv', type=Path, help='a line per segment or video; replaced')
    parser.add_argument('--out-video', type=Path, metavar='FOLDER', help='annotated copies; new')
    args = parser.parse_args(argv)
    live = live_address(args.videos)
    outputs = (args.out_json, args.out_csv, args.out_video)
    if live is not None and (len(args.videos) > 1 or any(outputs)):
        parser.error('a webcam or stream stands alone, and is printed: no other video, no --out-…')
    if args.stride and not args.window and live is None:
        parser.error('--stride is the step of a sliding window: give --window, too')
    if args.window and (args.clips or args.crops):
        parser.error('--clips and --crops are for whole videos, without --window')
    return args


def live_address(videos: Sequence[str]) -> int | str | None:
    """The webcam's number or the address that is asked for; None of files."""
    for video in videos:
        if '://' in video:
            return video
        if video.isdigit() and not Path(video).exists():
            return int(video)
    return None


def run_live(model: ActionInferencer, address: int | str, args: argparse.Namespace) -> None:
    """Print a line per prediction."""
    window = args.window or 2.0
    stride = args.stride or window / 4
    for found in model.live(address, window, stride, args.timeout):
        prediction = found.prediction
        print(
            f'{prediction.stop:8.2f} s  {prediction.label}  {100 * prediction.confidence:.1f} %   '
            f'{found.frames_per_second:.1f} frames/s, {found.predictions_per_second:.1f} '
            f'predictions/s, {1000 * found.latency:.0f} ms, {found.dropped} frames dropped',
            flush=True,
        )


def predict_one(
    model: ActionInferencer, path: Path, args: argparse.Namespace
) -> tuple[list[Prediction], list[Segment]]:
    """All that is predicted of a video, and the segments that it makes."""
    if args.window:
        stride = args.stride or args.window / 2
        found = list(model.windows(path, args.window, stride, args.batch_size))
    else:
        found = model.predict(path, args.clips, args.crops, args.batch_size)
    return found, merge_windows(found)


def result_of(
    path: Path, found: list[Prediction], segments: list[Segment], k: int
) -> dict[str, Any]:
    """What --out-json has of a video."""
    return dict(
        source=str(path),
        predictions=[prediction.to_dict(k) for prediction in found],
        segments=[segment.to_dict() for segment in segments],
    )


def show(console: Console, found: list[Prediction], segments: list[Segment], k: int) -> None:
    """A line per segment; of a video that is one clip, the best classes of each task."""
    if len(found) > 1:
        for s in segments:
            span = f'{s.start:8.2f} – {s.stop:8.2f} s'
            console.print(f'{span}  {s.label}  {100 * s.confidence:.1f} %', markup=False)
        return
    for task, scores in found[0].top(k).items():
        text = ', '.join(f'{name} {100 * p:.1f} %' for name, p in scores)
        console.print(f'  {task}: {text}', markup=False, soft_wrap=True)


def write_results(args: argparse.Namespace, results: list[dict[str, Any]]) -> None:
    """Write what was asked for."""
    if args.out_json:
        text = json.dumps(dict(model=str(args.model), videos=results), indent=2, ensure_ascii=False)
        write_whole(args.out_json, f'{text}\n'.encode())
    if args.out_csv:
        table = io.StringIO()
        columns = ['source', 'start', 'stop', 'label', 'confidence']
        writer = csv.DictWriter(table, columns, lineterminator='\n')
        writer.writeheader()
        for result in results:
            writer.writerows(result['segments'])
        write_whole(args.out_csv, table.getvalue().encode())


def run(
    model: ActionInferencer, paths: list[Path], args: argparse.Namespace
) -> tuple[list[dict[str, Any]], list[str]]:
    """Results of the videos that can be read, and sentences about the others."""
    console = Console(highlight=False)
    results: list[dict[str, Any]] = []
    unreadable: list[str] = []
    columns = (
        TextColumn('{task.completed} of {task.total} videos'),
        BarColumn(),
        TextColumn('{task.fields[rate]}'),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task('', total=len(paths), rate='')
        for path in paths:
            try:
                found, segments = predict_one(model, path, args)
                if args.out_video:
                    write_annotated(path, segments, args.out_video / f'{path.stem}.mp4')
            except VideoError as error:
                unreadable.append(str(error))
                continue
            finally:
                speed = bar.tasks[task].speed
                bar.update(task, advance=1, rate=f'{speed:.2f} videos/s' if speed else '')
            console.print(str(path), markup=False, style='bold', soft_wrap=True)
            show(console, found, segments, args.topk)
            results.append(result_of(path, found, segments, args.topk))
    return results, unreadable


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Predict, and write what was asked for."""
    args = parse_args(argv)
    address = live_address(args.videos)
    if address is not None:
        run_live(load_model(args.model, args.device, args.precision), address, args)
        return
    paths = video_paths(args.videos)
    for output in filter(None, (args.out_json, args.out_csv)):
        check_output(output, inputs=[args.model, *paths])
    if args.out_video:
        check_output(args.out_video, folder=True)
        check_names(paths, args.out_video)
    model = load_model(args.model, args.device, args.precision)
    results, unreadable = run(model, paths, args)
    write_results(args, results)
    if unreadable:
        print('\n'.join(unreadable))
        sys.exit(f'error: {len(unreadable)} of {len(paths)} videos could not be read: see above.')


def check_names(paths: list[Path], folder: Path) -> None:
    """Every annotated video has a place of its own, which is no input.

    Raises:
        ValueError: Two videos would be written to one file, or over one that is read.
    """
    places: dict[Path, Path] = {}
    for path in paths:
        place = folder / f'{path.stem}.mp4'
        if place.exists() and any(place.samefile(other) for other in paths):
            raise ValueError(f'--out-video: {place} is one of the videos; choose another folder.')
        if place.exists():
            raise FileExistsError(f'--out-video: {place} is there already; choose another folder.')
        if place in places:
            raise ValueError(
                f'--out-video: {places[place]} and {path} would both be written to {place}: '
                'predict them in two runs.'
            )
        places[place] = path
