"""What a kind of video file is: how it is made, and what every reader must find in it."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from encode import Picture, Sound, write

PICTURE, SOUND = Picture(), Sound()
RIGHT, REFUSED, EITHER = 'right', 'refused', 'right or refused'


@dataclass(frozen=True)
class Kind:
    """A video file to try.

        Args:
            name: Of the file; its ending is the container.
            what: What is odd about it, for people.
            make: Writes it.
            picture: The pictures that were encoded; their times are those of the sound, too.
            numbers: The numbers of the pictures that a player shows; None: all.
            size: Width and height as shown; None: as encoded.
            has_sound: Whether there is sound to compare with.
            expected: PICTURE, SOUND = Picture(), Sound()
    RIGHT, REFUSED (with a sentence) or EITHER: a part of the file is lost.
            skips: Whether the time between shown pictures is left out with them (edit lists).
            times_matter: False where the container's own clock jumps.
            program: Whether FFmpeg's program makes it, since PyAV's wheel has no such encoder.
    """

    name: str
    what: str
    make: Callable[[Path], None]
    picture: Picture = PICTURE
    numbers: Sequence[int] | None = None
    size: tuple[int, int] | None = None
    has_sound: bool = True
    expected: str = RIGHT
    skips: bool = False
    times_matter: bool = True
    program: bool = False

    @property
    def shown(self) -> list[int]:
        """The number of each picture, in the order in which they are shown."""
        return list(self.picture.numbers if self.numbers is None else self.numbers)

    @property
    def moments(self) -> list[float]:
        """The second of the sound at which each picture is shown."""
        times = dict(zip(self.picture.numbers, self.picture.times, strict=True))
        return [times[number] for number in self.shown]

    @property
    def times(self) -> list[float]:
        """Seconds of each picture since the first that is shown."""
        if self.skips:
            return self.picture.times[: len(self.shown)]
        moments = self.moments
        return [moment - moments[0] for moment in moments]

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as a player shows it."""
        return self.size or self.picture.size


def plain(
    name: str, what: str, picture: Picture = PICTURE, sound: Sound | None = SOUND, **kwargs
) -> Kind:
    """A file that is encoded as it is; `kwargs` are those of `write`."""

    def make(path: Path) -> None:
        write(path, [picture], sound, **kwargs)

    return Kind(name, what, make, picture, has_sound=sound is not None)


def made_from(change: Callable[[Path, Path], None], source: str = 'source.mp4', **kwargs):
    """Encode a file and change it: `change` takes it and the path to write."""

    def make(path: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / source, **kwargs)
            change(Path(folder) / source, path)

    return make


def changed(
    name: str,
    what: str,
    change: Callable[[Path, Path], None],
    picture: Picture = PICTURE,
    numbers: Sequence[int] | None = None,
    size: tuple[int, int] | None = None,
) -> Kind:
    """A file that is made from an ordinary MP4 with sound."""
    return Kind(name, what, made_from(change, pictures=[picture]), picture, numbers, size)


def with_options(picture: Picture, **options: str) -> Picture:
    """A picture with some options of the encoder changed."""
    return replace(picture, options={**picture.options, **options})
