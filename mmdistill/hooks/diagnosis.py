"""What makes distillation worse than no distillation, found in figures and said in words.

Shape legend: N = holdout clips, K = classes.
"""

import math

import torch
from torch import Tensor

CLIPS_PER_CLASS = 5  # below, the best relabelling of the classes fits chance
REORDERED_GAIN = 0.2
FLAT = 0.99


def better_order_accuracy(logits_NK: Tensor, labels_N: Tensor) -> float:
    """Top-1 accuracy under the renaming of the predicted classes that suits the labels best."""
    from scipy.optimize import linear_sum_assignment

    num_classes = logits_NK.shape[1]
    pairs_N = logits_NK.argmax(-1) * num_classes + labels_N
    counts = torch.bincount(pairs_N, minlength=num_classes**2).reshape(num_classes, num_classes)
    rows, columns = linear_sum_assignment(counts.numpy(), maximize=True)
    return float(counts[rows, columns].sum()) / len(labels_N)


def mean_normalised_entropy(logits_NK: Tensor, temperature: float) -> float:
    """Mean entropy of softmax(z / T) as a fraction of log K: 1 is uniform."""
    log_probs_NK = (logits_NK.double() / temperature).log_softmax(-1)
    entropy_N = -(log_probs_NK.exp() * log_probs_NK).sum(-1)
    return float(entropy_N.mean()) / math.log(logits_NK.shape[1])


def expert_warnings(name: str, task: str, logits_NK: Tensor, labels_N: Tensor) -> list[str]:
    """What is wrong with an expert, going by its logits on the holdout."""
    accuracy = float((logits_NK.argmax(-1) == labels_N).double().mean())
    commonest = float(torch.bincount(labels_N).max()) / len(labels_N)
    found = []
    if accuracy < commonest:
        found.append(
            f'Expert {name!r} predicts the {task} of {accuracy:.1%} of the holdout clips right; '
            f'always predicting the commonest class would be right for {commonest:.1%}. Unless its '
            f'modality tells nothing of the {task}, check its checkpoint and its inputs.'
        )
    if len(labels_N) >= CLIPS_PER_CLASS * logits_NK.shape[1]:
        reordered = better_order_accuracy(logits_NK, labels_N)
        if reordered >= max(2 * accuracy, accuracy + REORDERED_GAIN):
            found.append(
                f'Expert {name!r} would predict the {task} of {reordered:.1%} instead of '
                f'{accuracy:.1%} of the holdout clips right if its classes were in another order: '
                'was it trained with another class file?'
            )
    return found


def temperature_warnings(task: str, logits_NK: Tensor, temperatures: dict[str, float]) -> list[str]:
    """Losses whose temperature leaves nothing of what the teacher knows.

    Args:
        task: The task.
        logits_NK: The teacher's fused logits on the holdout.
        temperatures: Name of a loss to its temperature.
    """
    return [
        f'At temperature {temperature:g} of the loss {name!r} the teacher is {flatness:.1%} '
        f'uniform over the {task} classes: the soft targets say nothing. Lower the temperature.'
        for name, temperature in temperatures.items()
        if (flatness := mean_normalised_entropy(logits_NK, temperature)) > FLAT
    ]


def student_warnings(task: str, student: float, teacher: float) -> list[str]:
    """Whether the student has outgrown its teacher; accuracies on the holdout."""
    if student <= teacher:
        return []
    return [
        f'The student predicts the {task} of {student:.1%} of the holdout clips right, its '
        f'teacher of {teacher:.1%}: the teacher holds it back. Weigh the labels more, or better '
        'the experts.'
    ]
