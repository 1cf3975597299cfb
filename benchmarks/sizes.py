"""How large everything is that gets measured: once for figures, once for the tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """One scale of all benchmarks.

    Attributes:
        config: Config of the distillation that is measured: models, teacher, recipe.
        frames: Frames of a clip.
        pixels: Height and width of a clip in a step.
        batch: Clips of a step.
        rounds: Measurements of each contender.
        video: Width and height of the videos on disk.
        clips: Number of videos on disk, a clip each.
        loading_frames: Frames of a clip where loading is measured.
        loading_pixels: Its height and width.
        students: Students that are taught by one teacher.
        epochs: Epochs of each of them.
        iterations: Iterations over which memory is watched.
    """

    config: str
    frames: int
    pixels: tuple[int, int]
    batch: int
    rounds: int
    video: tuple[int, int]
    clips: int
    loading_frames: int = 16
    loading_pixels: int = 224
    students: int = 10
    epochs: int = 6
    iterations: int = 10_000


# Networks of full size and EPIC-KITCHENS' frames of 456 x 256; clips are smaller than in training
# (8 frames of 112 pixels instead of 32 of 224), so that a step takes seconds and not a minute.
FULL = Size(
    config='configs/distill/swin_ek100_rgbflowobj.py',
    frames=8,
    pixels=(112, 112),
    batch=2,
    rounds=9,
    video=(456, 256),
    clips=8,
)
# The demo's networks.
TINY = Size(
    config='projects/demo/configs/student.py',
    frames=4,
    pixels=(32, 32),
    batch=2,
    rounds=2,
    video=(64, 48),
    clips=4,
    loading_frames=4,
    loading_pixels=32,
    students=1,
    epochs=1,
    iterations=20,
)
