"""Extract the sound of videos into small files, so that training need not read the videos for it.

    mmdistill extract-audio --videos 'data/demo/*/videos/*.MP4' \\
        --out-template 'data/demo/{participant_id}/audio/{video_id}.flac'
    mmdistill extract-audio --ann data/mine/train.csv data/mine/val.csv \\
        --data-root data/mine --out-template 'data/mine/audio/{video_id}.flac'

One channel of FLAC per video. Point `media` of the data set at it:
`audio='{participant_id}/audio/{video_id}.flac'`. Killed and started again it continues. Several
machines or processes share the videos under torchrun, srun or in a Slurm array. A video that cannot
be read is named at the end, with exit code 1; one without an audio track is counted and gets no
file. --check looks at what is there instead: with exit code 1 if something is missing or damaged.
"""

import argparse
from collections.abc import Sequence
from functools import partial

from ..extraction.check_output import check_jobs, look_at_sound, report_check
from ..extraction.jobs import Job, report_failures, run_jobs
from ..extraction.outputs import (
    check_places,
    check_replaceable,
    foreign_file,
    locked_outputs,
)
from ..extraction.segments import add_video_arguments, find_videos, result_paths
from ..extraction.shares import default_workers
from ..extraction.sound import (
    SoundSettings,
    check_earlier_sound,
    make_sound_job,
    print_cancelled,
    set_up_sound,
)
from ..extraction.throughput import print_summary
from ..places import check_output
from ..ranges import COUNT, SAMPLE_RATE
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_video_arguments(parser)
    parser.add_argument(
        '--out-template',
        required=True,
        help='.flac per video; placeholders as in --media; with --videos {video_id} is the file '
        'name, {participant_id} its part before _',
    )
    parser.add_argument('--sample-rate', type=SAMPLE_RATE, default=24000, help='samples per second')
    parser.add_argument('--workers', type=COUNT, default=default_workers(), help='0: no subprocess')
    parser.add_argument('--overwrite', action='store_true', help='make existing files again')
    parser.add_argument('--check', action='store_true', help='look at existing files, make none')
    args = parser.parse_args(argv)
    if not args.out_template.endswith('.flac'):
        parser.error(f'--out-template must end with .flac, got {args.out_template!r}')
    return args


def make_jobs(args: argparse.Namespace) -> list[Job]:
    """The jobs of all videos with an audio track; names those without one."""
    videos = find_videos(args)
    paths = result_paths(videos, args.out_template)
    jobs = [make_sound_job(v.video_id, v.path, path) for v, path in zip(videos, paths, strict=True)]
    silent = [v.video_id for v, job in zip(videos, jobs, strict=True) if job is None]
    if silent:
        named = f'{", ".join(silent[:5])}{", …" if len(silent) > 5 else ""}'
        print(f'No audio track: {len(silent)} videos ({named}). Set optional=True on the modality.')
    return [job for job in jobs if job is not None]


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Extract what is not there yet, or look at what is there."""
    args = parse_args(argv)
    settings = SoundSettings(args.sample_rate)
    jobs = make_jobs(args)
    check_places([job.result for job in jobs], [job.path for job in jobs])
    if args.check:
        print_cancelled(jobs)
        return report_check(check_jobs(jobs, look_at_sound, settings.fingerprint()), len(jobs))
    for folder in sorted({job.result.parent for job in jobs}):
        check_output(folder, folder=True)
    with locked_outputs(jobs):
        if args.overwrite:
            check_replaceable(jobs, foreign_file)
        else:
            check_earlier_sound(settings, jobs)
        report = run_jobs(partial(set_up_sound, settings), jobs, args.workers, args.overwrite)
    print_summary(report, jobs)
    print_cancelled(jobs)
    return report_failures(report, len(jobs))
