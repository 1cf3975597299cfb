"""Detect objects in videos with any mmdet detector, into one HDF5 file for a data set.

    mmdistill extract-detections configs/detector.py detector.pth \\
        --ann data/demo/annotations/EPIC_100_{train,validation}.csv \\
        --data-root data/demo --out data/demo/detections.h5 --stride 2

Annotation CSVs (EPIC-KITCHENS' or your own) limit the work to frames inside segments. Killed and
started again it continues. Several machines or processes share the videos under torchrun, srun or
in a Slurm array. A video that cannot be read is named at the end, with exit code 1. --check looks
at what is there instead: with exit code 1 if something is missing or damaged.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from ..extraction.check_output import check_jobs, look_at_detections, report_check
from ..extraction.detection_output import Output
from ..extraction.detections import (
    DetectionJob,
    DetectionSettings,
    config_json,
    make_job,
    set_up_detections,
)
from ..extraction.jobs import my_jobs, report_failures, run_jobs
from ..extraction.outputs import check_places
from ..extraction.segments import add_video_arguments, find_videos
from ..extraction.shares import default_workers, local_share, my_share
from ..extraction.throughput import print_summary
from ..files import find_file
from ..locks import output_lock
from ..modalities.detection_file import DetectionFile
from ..models.detector import FrameDetector
from ..places import check_output
from ..ranges import BATCH, COUNT, FRACTION, ONE_OR_MORE
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help="the detector's mmdet config")
    parser.add_argument('checkpoint', help="the detector's weights")
    add_video_arguments(parser)
    parser.add_argument('--out', required=True, type=Path, help='the HDF5 file')
    parser.add_argument(
        '--stride', type=ONE_OR_MORE, default=2, help='process every so many frames'
    )
    parser.add_argument('--score-thr', type=FRACTION, default=0.05)
    parser.add_argument('--max-boxes', type=ONE_OR_MORE, default=10, help='kept per frame')
    parser.add_argument('--roi-features', action='store_true', help='store a feature per box')
    parser.add_argument('--batch-size', type=BATCH, default=16, help='frames per forward pass')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--workers', type=COUNT, help='default: the cores, or the GPUs; 0: in here')
    parser.add_argument('--overwrite', action='store_true', help='make an existing file again')
    parser.add_argument('--check', action='store_true', help='look at an existing file, make none')
    return parser.parse_args(argv)


def number_of_workers(args: argparse.Namespace) -> int:
    if args.workers is not None:
        return args.workers
    if args.device.startswith('cuda'):
        return max(1, torch.cuda.device_count() // local_share().count)
    return default_workers()


def extract(args: argparse.Namespace, jobs: list[DetectionJob], out: Output) -> int:
    """Run the jobs, merge the parts if nothing is left to do, and return the exit code."""
    settings, workers = settings_of(args), number_of_workers(args)
    # Built once here too: its errors stand alone, not in a worker's traceback.
    classes = FrameDetector(settings.config, settings.checkpoint).classes
    threads = max(1, default_workers() // max(workers, 1))
    setup = partial(set_up_detections, settings, args.device, args.batch_size, threads)
    out.open_parts()
    for job in my_jobs(jobs):
        job.tidy()
    report = run_jobs(setup, jobs, workers)
    num_bytes = None
    if report.complete:
        report.failures |= out.merge(classes, config_json(args.config), report.failures)
        num_bytes = out.path.stat().st_size if out.path.exists() else 0
    print_summary(report, jobs, num_bytes)
    return report_failures(report, len(jobs))


def check(jobs: list[DetectionJob], out: Output) -> int:
    """Look at the file, print what is wrong, and return the exit code."""
    known = set(DetectionFile(out.path).video_ids)
    jobs = [replace(job, done_before=job.name in known) for job in jobs]
    return report_check(check_jobs(jobs, look_at_detections(out.path), out.fingerprint), len(jobs))


def settings_of(args: argparse.Namespace) -> DetectionSettings:
    return DetectionSettings(
        args.config,
        args.checkpoint,
        args.stride,
        args.score_thr,
        args.max_boxes,
        args.roi_features,
    )


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Extract what is not there yet, or look at what is there."""
    args = parse_args(argv)
    advice = 'train one with mmdistill train and a detector config'
    args.checkpoint = find_file(args.checkpoint, 'checkpoint', advice)
    fingerprint = settings_of(args).fingerprint()
    videos = find_videos(args)
    inputs = [args.config, args.checkpoint, *(args.ann or ()), *(video.path for video in videos)]
    check_places([args.out, f'{args.out}.parts'], inputs)
    if args.check:
        out = Output(args.out, fingerprint)
        return check([make_job(*video[:3], args.stride, out) for video in videos], out)
    check_output(args.out)
    with output_lock(args.out, share=my_share()):
        out = Output(args.out, fingerprint, args.overwrite)
        out.check_kept(video.video_id for video in videos)
        jobs = [make_job(*video[:3], args.stride, out) for video in videos]
        if all(job.done_before for job in jobs) and not out.parts.exists():
            print(f'{args.out} holds all {len(jobs)} videos already.')
            return 0
        return extract(args, jobs, out)
