"""Extract optical flow of videos into u/v JPEGs (EPIC-KITCHENS' layout).

    python tools/data/extract_flow.py --videos 'data/demo/*/videos/*.MP4' \\
        --out-template 'data/demo/{participant_id}/flow_frames/{video_id}'

Killed and started again it continues. Several machines or processes share the videos when RANK
and WORLD_SIZE are set. A video that cannot be read is named at the end, with exit code 1.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from mmengine.config import DictAction

import mmdistill  # noqa: F401  (repairs of upstream faults)
from mmdistill.extraction.flow import FlowSettings, check_earlier_results, set_up_flow
from mmdistill.extraction.jobs import (
    Job,
    default_workers,
    remove_results,
    report_failures,
    run_jobs,
)
from mmdistill.extraction.segments import VideoSegments, list_videos
from mmdistill.extraction.video import VideoError, probe_video
from mmdistill.modalities.flow_encoding import DEFAULT_BOUND


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--videos', required=True, nargs='+', help='video files or patterns')
    parser.add_argument(
        '--out-template',
        required=True,
        help='folder per video; {video_id} is the file name, {participant_id} its part before _',
    )
    parser.add_argument('--estimator', default='DIS', help='a registered flow estimator')
    parser.add_argument(
        '--estimator-options', nargs='+', action=DictAction, default={}, help='e.g. preset=fast'
    )
    parser.add_argument('--import', dest='modules', nargs='*', default=[], help='that register one')
    parser.add_argument('--bound', type=float, default=DEFAULT_BOUND, help='clip at so many pixels')
    parser.add_argument('--short-side', type=int, default=0, help='scale frames first; 0: do not')
    parser.add_argument('--workers', type=int, default=default_workers(), help='0: no subprocess')
    parser.add_argument('--overwrite', action='store_true', help='make existing flow again')
    return parser.parse_args()


def make_job(video: VideoSegments, out_template: str) -> Job:
    names = {'video_id': video.video_id, 'participant_id': video.video_id.split('_')[0]}
    try:
        size = probe_video(video.path).num_frames
    except VideoError:
        size = 0  # its job will report it
    try:
        folder = Path(out_template.format(**names))
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(
            f'--out-template {out_template!r} cannot be filled in ({error!r}); '
            f'the placeholders that exist are {sorted(names)}.'
        ) from error
    return Job(video.video_id, video.path, folder, size)


def main() -> int:
    args = parse_args()
    estimator = {'type': args.estimator, **args.estimator_options}
    try:
        settings = FlowSettings(estimator, args.bound, args.short_side)
        setup = partial(set_up_flow, settings, args.modules)
        jobs = [make_job(video, args.out_template) for video in list_videos(args.videos)]
        if len({job.result for job in jobs}) < len(jobs):
            raise ValueError(
                f'--out-template {args.out_template!r} gives several videos the same folder; '
                'put {video_id} into it.'
            )
        setup(worker=0)
        if args.overwrite:
            remove_results(job.result for job in jobs)
        check_earlier_results(settings, jobs)
    except (FileNotFoundError, ImportError, KeyError, TypeError, ValueError) as error:
        sys.exit(f'extract_flow: {error}')
    report = run_jobs(setup, jobs, args.workers)
    return report_failures(report, len(jobs))


if __name__ == '__main__':
    sys.exit(main())
