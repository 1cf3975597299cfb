"""The detection file that grows from parts.

Each video becomes a part (`OUT.parts/<video>.npz`); when no rank has anything left to do, the parts
and the videos of an earlier OUT are merged into OUT, in the order of their names.
"""

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from mmdistill.modalities.detection_file import DetectionFile, DetectionWriter, VideoDetections

from ..files import read_json, remove, write_whole
from .jobs import Job
from .manifest import check_settings, locked, read_manifest, record
from .outputs import ELSEWHERE, not_replaced
from .shares import my_share

SETTINGS_FILE = 'settings.json'


def manifest_of(parts: Path) -> Path:
    """OUT.manifest.jsonl, beside OUT and OUT.parts."""
    return parts.with_suffix('.manifest.jsonl')


def write_part(job: Job, video: VideoDetections, fingerprint: dict[str, Any]) -> None:
    """Store one video's detections, all at once."""
    arrays = {key: value for key, value in video._asdict().items() if value is not None}
    with open(job.partial, 'wb') as file:
        np.savez(file, **arrays)
    record(job, fingerprint, len(video.frames_F), job.partial.stat().st_size)
    job.put_in_place()


def read_part(path: Path) -> VideoDetections:
    """What `write_part` stored.

    Raises:
        ValueError: It is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return VideoDetections(
                **{key: array if array.ndim else int(array) for key, array in arrays.items()}
            )
    except (zipfile.BadZipFile, EOFError, OSError, TypeError, ValueError) as error:
        raise ValueError(f'{path} is damaged ({error})') from error


class Output:
    """The detection file to be, with its folder of parts and what earlier runs left in both.

    Args:
        path: The HDF5 file.
        fingerprint: `DetectionSettings.fingerprint()`.
        overwrite: Videos of an earlier file are made again; it stays until they are complete.

    Raises:
        ValueError: The file or the parts were made with other settings, or, where they are to be
            replaced, not by an extraction.
    """

    def __init__(self, path: Path, fingerprint: dict[str, Any], overwrite: bool = False) -> None:
        self.path = path
        self.parts = path.with_name(f'{path.name}.parts')
        self.manifest = manifest_of(self.parts)
        self.fingerprint = fingerprint
        self.overwrite = overwrite
        self._earlier = DetectionFile(path) if path.exists() else None
        self._check_parts()
        if overwrite:
            self._check_replaceable()
        elif self._earlier is not None:
            check_settings(self.path, self._earlier.settings, fingerprint)

    def part(self, video_id: str) -> Path:
        """Where the detections of one video go."""
        # No more is quoted than must be: a file name has 255 bytes, and 28 signs of Chinese quoted
        # are as many.
        name = video_id.replace('%', '%25').replace('/', '%2F')
        return self.parts / f'{name}.npz'

    def holds(self, video_id: str, frames_F: np.ndarray) -> bool:
        """Whether the file has the very same frames of this video already."""
        if self.overwrite or self._earlier is None or not self._earlier.has(video_id):
            return False
        return np.array_equal(self._earlier.frames(video_id), frames_F)

    def check_kept(self, video_ids: Iterable[str]) -> None:
        """Refuse to lose videos of an earlier file that are not made again.

        Args:
            video_ids: Those that are.

        Raises:
            ValueError: The file has others, of other settings.
        """
        if self._mixable:
            return
        others = sorted(set(self._earlier.video_ids) - set(video_ids))
        if others:
            raise ValueError(
                f'{self.path} was made with other settings and holds {len(others)} more videos '
                f'({", ".join(others[:3])}{", …" if len(others) > 3 else ""}), which would be '
                f'lost: {ELSEWHERE}.'
            )

    def open_parts(self) -> None:
        """Make the folder of parts; damaged parts, and those of other settings, are removed."""
        self.parts.mkdir(parents=True, exist_ok=True)
        settings = self._settings_of_parts()
        for part in self._finished_parts().values():
            try:
                if settings != self.fingerprint:
                    remove(part)
                else:
                    read_part(part)
            except ValueError as error:
                print(f'{error}: its video is processed again.')
                remove(part)
        write_whole(self.parts / SETTINGS_FILE, json.dumps(self.fingerprint).encode())

    def merge(self, classes: list[str], detector: str, failures: dict[str, str]) -> dict[str, str]:
        """Move all parts into the file; returns the reasons of those that could not be.

        Args:
            failures: Of the run: the folder, which holds their reasons, is left then, and a file of
                other settings stays as it is.
        """
        damaged: dict[str, str] = {}
        with locked(self.manifest):
            parts = self._finished_parts()
            if parts and (self._mixable or not failures):
                damaged = self._write(parts, classes, detector)
                for part in parts.values():
                    remove(part)
            if not failures and not damaged:
                for path in self.parts.iterdir():
                    remove(path)
                self.parts.rmdir()
        return damaged

    @property
    def _mixable(self) -> bool:
        """Whether videos of the earlier file may stay."""
        return self._earlier is None or self._earlier.settings == self.fingerprint

    def _finished_parts(self) -> dict[str, Path]:
        return {unquote(part.stem): part for part in self.parts.glob('*.npz')}

    def _settings_of_parts(self) -> dict[str, Any] | None:
        file = self.parts / SETTINGS_FILE
        advice = f'move {self.parts} away, so that its videos are made again'
        return read_json(file, dict, advice) if file.is_file() else None

    def _check_parts(self) -> None:
        if not self.parts.exists():
            return
        known = read_manifest(self.manifest)
        for path in self.parts.iterdir():
            ours = path.name == SETTINGS_FILE or path.name.startswith('.')
            if not ours and (path.suffix != '.npz' or unquote(path.stem) not in known):
                raise not_replaced(self.parts, f'it holds {path.name}')
        settings = self._settings_of_parts()
        if settings is not None and not self.overwrite:
            check_settings(self.parts, settings, self.fingerprint)

    def _check_replaceable(self) -> None:
        if my_share().count > 1:
            raise ValueError(f'--overwrite cannot be used with several ranks: {ELSEWHERE}.')
        if self._earlier is None:
            return
        try:
            unknown = set(self._earlier.video_ids) - set(read_manifest(self.manifest))
        except (OSError, ValueError) as error:
            raise not_replaced(self.path, str(error).rstrip('.')) from error
        if unknown:
            raise not_replaced(self.path, f'{self.manifest} does not know its video {min(unknown)}')
        if self.path.is_symlink():
            raise not_replaced(self.path, 'it is a link')

    def _write(self, parts: dict[str, Path], classes: list[str], detector: str) -> dict[str, str]:
        # Not the one of the constructor: another rank may have merged since.
        earlier = DetectionFile(self.path) if self.path.exists() and self._mixable else None
        kept = set(earlier.video_ids if earlier else ())
        sha256, damaged = self.fingerprint['checkpoint_sha256'], {}
        with DetectionWriter(self.path, classes, detector, sha256, self.fingerprint) as writer:
            for name in sorted({*parts, *kept}):
                try:
                    if name in parts:
                        writer.write(name, read_part(parts[name]))
                        continue
                except ValueError as error:
                    damaged[name] = f'{error}: run the same command again'
                if name in kept:
                    writer.write(name, earlier.load(name))
        return damaged
