"""Extract optical flow of videos into u/v JPEGs (EPIC-KITCHENS' layout).

    mmdistill extract-flow --videos 'data/demo/*/videos/*.MP4' \\
        --out-template 'data/demo/{participant_id}/flow_frames/{video_id}'
    mmdistill extract-flow --ann data/mine/train.csv data/mine/val.csv \\
        --data-root data/mine --out-template 'data/mine/flow/{video_id}'

Killed and started again it continues. Several machines or processes share the videos under
torchrun, srun or in a Slurm array. A video that cannot be read is named at the end, with exit code
1. --check looks at what is there instead: with exit code 1 if something is missing or damaged.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..config_options import KeyValues
from ..extraction.check_output import check_jobs, look_at_flow, report_check
from ..extraction.flow import FlowSettings, check_earlier_results, set_up_flow
from ..extraction.jobs import Job, length_of, report_failures, run_jobs
from ..extraction.outputs import (
    check_places,
    check_replaceable,
    foreign_in_flow,
    locked_outputs,
)
from ..extraction.segments import VideoSegments, add_video_arguments, find_videos, result_paths
from ..extraction.shares import default_workers
from ..extraction.throughput import print_summary
from ..modalities.flow_encoding import DEFAULT_BOUND
from ..places import check_output
from ..ranges import COUNT, POSITIVE, Range
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_video_arguments(parser)
    parser.add_argument(
        '--out-template',
        required=True,
        help='folder per video; placeholders as in --media; with --videos {video_id} is the file '
        'name, {participant_id} its part before _',
    )
    parser.add_argument('--estimator', default='DIS', help='a registered flow estimator')
    parser.add_argument(
        '--estimator-options', nargs='+', action=KeyValues, default={}, help='e.g. preset=fast'
    )
    parser.add_argument('--import', dest='modules', nargs='*', default=[], help='that register one')
    parser.add_argument(
        '--bound', type=POSITIVE, default=DEFAULT_BOUND, help='clip at so many pixels'
    )
    parser.add_argument(
        '--short-side',
        type=Range(0, 8192, whole=True),
        default=0,
        help='scale frames first; 0: do not',
    )
    parser.add_argument('--workers', type=COUNT, default=default_workers(), help='0: no subprocess')
    parser.add_argument('--overwrite', action='store_true', help='make existing flow again')
    parser.add_argument('--check', action='store_true', help='look at existing flow, make none')
    return parser.parse_args(argv)


def make_job(video: VideoSegments, folder: Path) -> Job:
    return Job(video.video_id, video.path, folder, *length_of(video.path))


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Extract what is not there yet, or look at what is there."""
    args = parse_args(argv)
    settings = FlowSettings(
        {'type': args.estimator, **args.estimator_options}, args.bound, args.short_side
    )
    setup = partial(set_up_flow, settings, args.modules)
    videos = find_videos(args)
    jobs = list(map(make_job, videos, result_paths(videos, args.out_template)))
    check_places([job.result for job in jobs], [job.path for job in jobs])
    if args.check:
        return report_check(check_jobs(jobs, look_at_flow, settings.fingerprint()), len(jobs))
    setup(worker=0)  # its errors stand alone here, not in a worker's traceback
    for folder in sorted({job.result.parent for job in jobs}):
        check_output(folder, folder=True)
    with locked_outputs(jobs):
        if args.overwrite:
            check_replaceable(jobs, foreign_in_flow)
        else:
            check_earlier_results(settings, jobs)
        report = run_jobs(setup, jobs, args.workers, args.overwrite)
    print_summary(report, jobs)
    return report_failures(report, len(jobs))
