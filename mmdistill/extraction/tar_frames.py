"""Unpack the tars of frames and flow that EPIC-KITCHENS publishes, one folder per video."""

import shutil
import tarfile
from pathlib import Path, PurePosixPath

from mmdistill.modalities.epic_errata import check_length
from mmdistill.video import VideoError

from .frame_packing import IMAGES
from .jobs import Advance, Job, Process

BLOCK = 512
# A tar ends with two blocks of zeros; without them it may be cut short between two files.
END = bytes(2 * BLOCK)
PLANES = ('u', 'v')
# What tarfile raises for headers that are damaged, those of sparse files among them.
DAMAGED = (tarfile.TarError, EOFError, ValueError, LookupError, ArithmeticError, MemoryError)


def make_unpack_job(path: Path) -> Job:
    """The job of one tar: the folder of its name beside it."""
    return Job(path.stem, path, path.with_suffix(''), _estimate_frames(path))


def set_up_unpacking(worker: int) -> Process:
    """A worker needs nothing (it is a `jobs.Setup`)."""
    return unpack_frames


def unpack_frames(job: Job, advance: Advance) -> None:
    """Unpack one tar; the folder `job.result` appears when it is complete.

    Raises:
        VideoError: The tar is damaged or cut short, holds other things than images, or is the
            first extraction of one of two videos (`mmdistill.modalities.epic_errata`).
        OSError: An image cannot be written.
    """
    folders: dict[Path, int] = {}
    shutil.rmtree(job.partial, ignore_errors=True)  # of a run that was killed
    job.partial.mkdir()
    try:
        if not _ends_well(job.path):
            raise VideoError(f'{job.path} is cut short or no tar: fetch it again.')
        with tarfile.open(job.path, 'r|') as tar:
            for member in tar:
                if member.isdir():
                    continue
                target = job.partial / _place(member, job)
                if target.parent not in folders:
                    target.parent.mkdir(exist_ok=True)
                target.write_bytes(tar.extractfile(member).read())
                folders[target.parent] = folders.get(target.parent, 0) + 1
                advance(1)
        if not folders:
            raise VideoError(f'{job.path} holds no images: fetch it again.')
        check_length(job.name, max(folders.values()), job.path)
    except VideoError:
        raise
    except DAMAGED as error:
        raise VideoError(f'{job.path} cannot be unpacked ({error}): fetch it again.') from error
    job.put_in_place()


def _place(member: tarfile.TarInfo, job: Job) -> Path:
    """Where an image goes: below the folder, or below `u` and `v` of it, and nowhere else."""
    parts = [part for part in PurePosixPath(member.name).parts if part != '.']
    if parts[:1] == [job.name]:
        parts = parts[1:]
    # A sparse file may claim to be of any size.
    is_image = (
        member.isfile()
        and not member.issparse()
        and parts
        and Path(parts[-1]).suffix.lower() in IMAGES
    )
    if not is_image or not (len(parts) == 1 or len(parts) == 2 and parts[0] in PLANES):
        raise VideoError(
            f'{job.path} holds {member.name!r}: expected images, or images in u and v. It is no '
            'tar of frames or flow.'
        )
    return Path(*parts)


def _ends_well(path: Path) -> bool:
    with path.open('rb') as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - len(END)))
        return file.read() == END


def _estimate_frames(path: Path) -> int:
    """About how many images there are, for the progress bar: a tar has no table of contents."""
    try:
        with tarfile.open(path, 'r|') as tar:
            first = next((member.size for member in tar if member.isfile()), 0)
    except (*DAMAGED, OSError):
        return 0  # its job will report it
    return path.stat().st_size // (2 * BLOCK + first)
