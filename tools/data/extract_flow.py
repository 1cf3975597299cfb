"""Extract optical flow of videos into u/v JPEGs (EPIC-KITCHENS' layout).

    python tools/data/extract_flow.py --videos 'data/demo/*/videos/*.MP4' \\
        --out-template 'data/demo/{participant_id}/flow_frames/{video_id}'

Killed and started again it continues. Several machines or processes share the videos under
torchrun, srun or in a Slurm array. A video that cannot be read is named at the end, with exit code
1. --check looks at what is there instead: with exit code 1 if something is missing or damaged.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from mmengine.config import DictAction

import mmdistill  # noqa: F401  (repairs of upstream faults)
from mmdistill.extraction.check_output import check_jobs, look_at_flow, report_check
from mmdistill.extraction.flow import FlowSettings, check_earlier_results, set_up_flow
from mmdistill.extraction.jobs import Job, length_of, remove_results, report_failures, run_jobs
from mmdistill.extraction.segments import VideoSegments, add_video_arguments, find_videos, result_paths
from mmdistill.extraction.shares import default_workers, my_share
from mmdistill.extraction.throughput import print_summary
from mmdistill.modalities.flow_encoding import DEFAULT_BOUND
from mmdistill.ranges import COUNT, POSITIVE


def parse_args() -> argparse.Namespace:
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
        '--estimator-options', nargs='+', action=DictAction, default={}, help='e.g. preset=fast'
    )
    parser.add_argument('--import', dest='modules', nargs='*', default=[], help='that register one')
    parser.add_argument('--bound', type=POSITIVE, default=DEFAULT_BOUND, help='clip at so many pixels')
    parser.add_argument('--short-side', type=COUNT, default=0, help='scale frames first; 0: do not')
    parser.add_argument('--workers', type=COUNT, default=default_workers(), help='0: no subprocess')
    parser.add_argument('--overwrite', action='store_true', help='make existing flow again')
    parser.add_argument('--check', action='store_true', help='look at existing flow, make none')
    return parser.parse_args()


def make_job(video: VideoSegments, folder: Path) -> Job:
    return Job(video.video_id, video.path, folder, *length_of(video.path))


def main() -> int:
    args = parse_args()
    estimator = {'type': args.estimator, **args.estimator_options}
    try:
        settings = FlowSettings(estimator, args.bound, args.short_side)
        setup = partial(set_up_flow, settings, args.modules)
        videos = find_videos(args)
        jobs = list(map(make_job, videos, result_paths(videos, args.out_template)))
        if args.check:
            return report_check(check_jobs(jobs, look_at_flow, settings.fingerprint()), len(jobs))
        setup(worker=0)
        if args.overwrite:
            remove_results(job.result for job in jobs)
        check_earlier_results(settings, jobs)
        my_share()  # what the launcher got wrong is no fault of the program
    except (FileNotFoundError, ImportError, KeyError, TypeError, ValueError) as error:
        sys.exit(f'extract_flow: {error}')
    report = run_jobs(setup, jobs, args.workers)
    print_summary(report, jobs)
    return report_failures(report, len(jobs))


if __name__ == '__main__':
    sys.exit(main())
