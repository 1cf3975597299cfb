"""The detection file that grows from parts.

Each video becomes a part (`OUT.parts/<video>.npz`); when no rank has anything left to do, the parts
and the videos of an earlier OUT are merged into OUT, in the order of their names.
"""

import json
import os
import shutil
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np

from mmdistill.modalities.detection_file import DetectionFile, DetectionWriter, VideoDetections

from .jobs import Job
from .manifest import check_settings, locked, record


def manifest_of(parts: Path) -> Path:
    """OUT.manifest.jsonl, beside OUT and OUT.parts."""
    return parts.with_suffix('.manifest.jsonl')


def write_part(job: Job, video: VideoDetections, fingerprint: dict) -> None:
    """Store one video's detections, all at once."""
    arrays = {key: value for key, value in video._asdict().items() if value is not None}
    with open(job.partial, 'wb') as file:
        np.savez(file, **arrays)
    record(job, fingerprint, len(video.frames_F), job.partial.stat().st_size)
    job.partial.rename(job.result)


def read_part(path: Path) -> VideoDetections:
    """What `write_part` stored."""
    with np.load(path, allow_pickle=False) as arrays:
        return VideoDetections(
            **{key: array if array.ndim else int(array) for key, array in arrays.items()}
        )


class Output:
    """The detection file to be, with its folder of parts and what earlier runs left in both.

    Args:
        path: The HDF5 file.
        fingerprint: `DetectionSettings.fingerprint()`.

    Raises:
        ValueError: If the file or the parts were made with other settings.
    """

    def __init__(self, path: Path, fingerprint: dict) -> None:
        self.path, self.parts, self.manifest = self.files(path)
        self.fingerprint = fingerprint
        self._earlier = DetectionFile(path) if path.exists() else None
        if self._earlier is not None:
            check_settings(self.path, self._earlier.settings, fingerprint)
        settings_file = self.parts / 'settings.json'
        if settings_file.is_file():
            check_settings(self.parts, json.loads(settings_file.read_text()), fingerprint)

    @staticmethod
    def files(path: Path) -> list[Path]:
        """The file, its parts and its manifest, as far as they are there."""
        parts = path.with_name(f'{path.name}.parts')
        return [path, parts, manifest_of(parts)]

    def part(self, video_id: str) -> Path:
        """Where the detections of one video go."""
        return self.parts / f'{quote(video_id, safe="")}.npz'

    def holds(self, video_id: str, frames_F: np.ndarray) -> bool:
        """Whether the file has the very same frames of this video already."""
        if self._earlier is None or not self._earlier.has(video_id):
            return False
        return np.array_equal(self._earlier.frames(video_id), frames_F)

    def open_parts(self) -> None:
        """Make the folder of parts."""
        self.parts.mkdir(parents=True, exist_ok=True)
        draft = self.parts / f'.settings.{os.getpid()}'
        draft.write_text(json.dumps(self.fingerprint))
        draft.rename(self.parts / 'settings.json')

    def merge(self, classes: list[str], detector: str, keep_parts: bool) -> None:
        """Move all parts into the file.

        Args:
            keep_parts: Leave the folder, which holds the reasons of failures.
        """
        with locked(self.manifest):
            parts = {unquote(part.stem): part for part in self.parts.glob('*.npz')}
            if parts:
                self._write(parts, classes, detector)
            for part in parts.values():
                part.unlink()
            if not keep_parts:
                shutil.rmtree(self.parts, ignore_errors=True)

    def _write(self, parts: dict[str, Path], classes: list[str], detector: str) -> None:
        # Not the one of the constructor: another rank may have merged since.
        earlier = DetectionFile(self.path) if self.path.exists() else None
        names = set(parts) | set(earlier.video_ids if earlier else ())
        sha256 = self.fingerprint['checkpoint_sha256']
        with DetectionWriter(self.path, classes, detector, sha256, self.fingerprint) as writer:
            for name in sorted(names):
                video = read_part(parts[name]) if name in parts else earlier.load(name)
                writer.write(name, video)
