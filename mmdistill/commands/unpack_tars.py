"""Unpack the tars of RGB and flow frames that EPIC-KITCHENS publishes, each beside itself.

    mmdistill unpack-tars --tars 'data/EPIC-KITCHENS-100/*/rgb_frames/*.tar' \\
        'data/EPIC-KITCHENS-100/*/flow_frames/*.tar'

P01/rgb_frames/P01_01.tar becomes P01/rgb_frames/P01_01/frame_0000000001.jpg and so on; flow has the
folders u and v. Killed and started again it continues. Several machines or processes share the tars
when RANK and WORLD_SIZE are set. A tar that is damaged, or the first extraction of one of the two
videos that the owners have replaced, is named at the end, with exit code 1. Tars are kept.
"""

import argparse
from collections.abc import Sequence

from ..extraction.jobs import report_failures, run_jobs
from ..extraction.outputs import locked_outputs
from ..extraction.tar_frames import make_unpack_job, set_up_unpacking
from ..files import find_paths
from ..ranges import COUNT
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--tars', required=True, nargs='+', help='tar files or patterns')
    parser.add_argument('--workers', type=COUNT, default=4, help='0: no subprocess')
    return parser.parse_args(argv)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Unpack what is not unpacked yet."""
    args = parse_args(argv)
    paths = find_paths(args.tars)
    folders = [path for path in paths if path.is_dir()]
    if folders:
        raise IsADirectoryError(f'{folders[0]} is a folder, not a tar: give tars, such as */*.tar.')
    jobs = [make_unpack_job(path) for path in paths]
    with locked_outputs(jobs):
        report = run_jobs(set_up_unpacking, jobs, args.workers)
    return report_failures(report, len(jobs))
