"""a. A step with a live teacher against the floor."""

from pathlib import Path

from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from mmdistill.hooks import DistillationLossHook
from mmdistill.labels import task_labels
from mmdistill.models import MultimodalTeacher
from mmdistill.models.student import StudentRecognizer

from .floor import Step, floor_step
from .recipes import live
from .report import Section, comparison, table
from .sizes import Size
from .stepped import SteppedLoop, ready_loop
from .timing import Times, in_turns, spread

GOAL = 1.05


def run(size: Size, folder: Path) -> Section:
    """Time both, and say how they compare."""
    ours, floor = contenders(live(size, folder))
    times = in_turns({'mmdistill': ours, 'floor': floor}, size.rounds)
    return Section('a', 'A step with a live teacher', text(times))


def contenders(cfg: Config) -> tuple[Step, Step]:
    """A step of the real training with all its hooks, and the same by hand."""
    loop = ready_loop(cfg)
    batch = first_batch(loop)
    student, teacher = models_of(loop)
    device = next(student.parameters()).device
    labels = {t: x.to(device) for t, x in task_labels(batch['data_samples']).items()}
    return lambda: loop.step(dict(batch)), floor_step(student, teacher, batch, labels)


def first_batch(loop: SteppedLoop) -> dict:
    """The first clips of the data set as a batch."""
    loader = loop.dataloader
    return pseudo_collate([loader.dataset[i] for i in range(loader.batch_size)])


def models_of(loop: SteppedLoop) -> tuple[StudentRecognizer, MultimodalTeacher]:
    """The student, and the teacher that its hook has built."""
    [hook] = [hook for hook in loop.runner.hooks if isinstance(hook, DistillationLossHook)]
    return loop.runner.model, hook.teacher


def text(times: dict[str, Times]) -> str:
    """The table, and whether the goal is met."""
    rows = [
        [name, spread(found.wall).text(3, ' s'), spread(found.cpu).text(3, ' s')]
        for name, found in times.items()
    ]
    return '\n\n'.join(
        [
            'The whole iteration of MMEngine (hooks, preprocessing of raw uint8 frames for student '
            'and experts, losses, logging) against the same modules in a bare loop of PyTorch on '
            'normalised tensors. Same networks, same clips, in turns.',
            table(['', 'wall clock', 'processor time'], rows),
            comparison('mmdistill ÷ floor', times['mmdistill'], times['floor'], GOAL),
        ]
    )
