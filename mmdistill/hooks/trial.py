"""What can only be seen with data is tried before training, not in the middle of it."""

from typing import Any

from torch.utils.data import DataLoader

from ..data_checks import data_sets
from ..models import StudentRecognizer
from ..models.teacher_output import set_teacher_output
from ..models.teacher_protocol import Teacher
from ..randomness import same_randomness


def check_labels(student: StudentRecognizer, teacher: Teacher, dataset: Any) -> None:
    """Raise ValueError where a loss or weighting needs labels, and the data set has clips without.

    Args:
        student: The student.
        teacher: The teacher.
        dataset: The training data set, possibly a wrapper around others.
    """
    parts = (part for part in data_sets(dataset) if getattr(part, 'labelled', True) is not True)
    unlabelled = next(parts, None)
    if unlabelled is None:
        return
    needing = [
        f'the loss {name!r} ({type(loss).__name__})'
        for name, loss in student.losses.items()
        if getattr(loss, 'needs_labels', False)
    ]
    needing += [
        f'the weighting of {task!r} ({type(weighting).__name__})'
        for task, weighting in teacher.weightings.items()
        if weighting.needs_labels
    ]
    neck = getattr(student.recognizer, 'neck', None)
    if getattr(neck, 'aux_head', None) is not None:
        needing.append(f'the auxiliary loss of the neck ({type(neck).__name__})')
    if needing:
        raise ValueError(
            f'{" and ".join(needing)} need the label of every clip, but the training data set '
            f'{unlabelled.ann_file} is read with labelled={unlabelled.labelled!r}; use losses and '
            'weightings without labels, or leave out the unlabelled clips.'
        )


def try_features(student: StudentRecognizer, teacher: Teacher, dataloader: DataLoader[Any]) -> None:
    """Compute the student's losses for one clip, twice in a batch; nothing is changed by it.

    Channels of a layer, or whether its gradient gets out of a checkpointed part, are known only
    when it runs: what the losses raise, they raise here.
    """
    with same_randomness():
        clip = dataloader.dataset[0]
        batch = dataloader.collate_fn([clip, clip])
        set_teacher_output(batch['data_samples'], teacher.teach(batch))
        training = student.training
        # No batch statistics move, no dropout is drawn.
        student.eval()
        try:
            data = student.data_preprocessor(batch, False)
            student.loss(data['inputs'], data['data_samples'])
        finally:
            student.train(training)
