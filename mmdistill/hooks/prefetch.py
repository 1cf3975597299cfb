"""Teach one batch ahead: while the student steps, the experts answer for the next batch."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from ..models import MultimodalTeacher
from ..models.teacher_output import ExpertAnswers

Batch = dict[str, Any]


class Peekable(Iterator[Any]):
    """An iterator whose next item can be seen before it is its turn."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items
        self._seen: list[Any] = []

    def __next__(self) -> Any:
        """The next item."""
        return self._seen.pop() if self._seen else next(self._items)

    def peek(self) -> Any:
        """The item that `next` will return; None at the end."""
        if not self._seen:
            try:
                self._seen.append(next(self._items))
            except StopIteration:
                # Which an exhausted loader need not say twice.
                self._items = iter(())
                return None
        return self._seen[0]


class PeekableLoader:
    """A data loader, of whose present pass the next batch can be seen."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.loader = loader
        self.batches = Peekable(iter(()))

    def __iter__(self) -> Peekable:
        """A pass over the data."""
        self.batches = Peekable(iter(self.loader))
        return self.batches

    def __len__(self) -> int:
        """Number of batches."""
        return len(self.loader)

    def __getattr__(self, name: str) -> Any:
        """The loader's own."""
        return getattr(self.loader, name)


def peek_into(runner: Runner) -> Callable[[], Batch | None]:
    """Let the train loop's batches be seen one ahead; returns what looks at the next one."""
    loop = runner.train_loop
    if isinstance(loop, EpochBasedTrainLoop):
        loop.dataloader = PeekableLoader(loop.dataloader)
        return lambda: loop.dataloader.batches.peek()
    loop.dataloader_iterator = Peekable(loop.dataloader_iterator)
    # An endless loader would load, and the experts answer for, a batch that nobody trains on.
    return lambda: loop.dataloader_iterator.peek() if loop.iter + 1 < loop.max_iters else None


class TeachAhead:
    """Ask the experts about a batch before its turn; on CUDA on a stream of their own.

    What they compute is the same, only earlier. So is what the student draws, given that beginning
    a pass over the data draws nothing from its generator: see `RngStateHook`.

    Args:
        teacher: The teacher, on its device.
        peek: Gives the next batch.
        move: Brings a batch to the device, in place.
    """

    def __init__(
        self,
        teacher: MultimodalTeacher,
        peek: Callable[[], Batch | None],
        move: Callable[[Batch], None],
    ) -> None:
        self.teacher, self.peek, self.move = teacher, peek, move
        on_cuda = next(teacher.parameters()).is_cuda
        self.stream = torch.cuda.Stream() if on_cuda else None
        self._asked: tuple[Batch, ExpertAnswers] | None = None

    def answers(self, batch: Batch) -> ExpertAnswers | None:
        """What the experts said about this batch, if they have been asked; waits for them."""
        asked, self._asked = self._asked, None
        if asked is None or asked[0] is not batch:
            return None
        if self.stream is not None:
            torch.cuda.current_stream().wait_stream(self.stream)
        return asked[1]

    def ask_next(self) -> None:
        """Start the experts on the next batch; returns before they have finished."""
        batch = self.peek()
        if batch is None:
            return
        self.move(batch)
        if self.stream is not None:
            # Both streams wait for each other, once per step: so neither frees or reuses memory
            # that the other still reads. The batch itself lives until its turn has come.
            self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            self._asked = batch, self.teacher.ask(batch)
