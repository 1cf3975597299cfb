"""How often the classes are in the training data, as weights, priors and groups.

Shape legend: K = classes.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from ..ranges import COUNT, FRACTION, ZERO_OR_MORE
from .base import check_temperature


def effective_weights(counts_K: Tensor, beta: float) -> Tensor:
    """(1 - beta) / (1 - beta^n) of a class with n clips, scaled to sum to K: (K,) float64.

    Cui et al., *Class-Balanced Loss Based on Effective Number of Samples*, CVPR 2019,
    https://arxiv.org/abs/1901.05555, eq. 4. beta = 0 weighs all classes alike; at 1, the limit, the
    weight of a class is one over its clips.

    Raises:
        ValueError: A class has no clip, or beta is not from 0 to 1.
    """
    FRACTION.check(beta=beta)
    check_counts(counts_K)
    counts_K = counts_K.double()
    weights_K = 1 / counts_K if beta == 1 else (1 - beta) / (1 - beta**counts_K)
    return weights_K * len(counts_K) / weights_K.sum()


def log_prior(counts_K: Tensor) -> Tensor:
    """The log of each class's share of the training clips, (K,) float64.

    Raises:
        ValueError: A class has no clip.
    """
    check_counts(counts_K)
    shares_K = counts_K.double() / counts_K.double().sum()
    return shares_K.log()


def frequency_groups(counts_K: Tensor, few: int, many: int) -> Tensor:
    """The group of each class, (K,): 0 head (more than `many` clips), 1 medium, 2 tail.

    Liu et al., *Large-Scale Long-Tailed Recognition in an Open World*, CVPR 2019, sec. 4: many is
    more than 100 clips, few is fewer than 20.

    Raises:
        ValueError: `few` is larger than `many`.
    """
    if not 0 <= few <= many:
        raise ValueError(
            f'Tail classes have fewer clips than head classes: expected 0 <= few <= many, got '
            f'few={few} and many={many}.'
        )
    medium_K, tail_K = counts_K <= many, counts_K < few
    return medium_K.long() + tail_K.long()


def check_counts(counts_K: Tensor) -> None:
    """Raise ValueError, naming the classes, where one has no training clip."""
    empty = (counts_K <= 0).nonzero().flatten().tolist()
    if empty:
        raise ValueError(
            f'Classes {_some(empty)} have no training clip, so how rare they are is not known: '
            'set min_count=1 of the loss to count them as if they had one, or leave them out.'
        )


def check_as_many(counts_K: Tensor, num_classes: int) -> None:
    """Raise ValueError unless there is a count for each class of the logits."""
    if counts_K.shape != (num_classes,):
        raise ValueError(
            f'The training clips were counted for {tuple(counts_K.shape)} classes, but the logits '
            f'have {num_classes}: count the labels of the same classes.'
        )


def _some(classes: Sequence[int]) -> str:
    shown = ', '.join(map(str, classes[:5]))
    return shown if len(classes) <= 5 else f'{shown} and {len(classes) - 5} more'


class ClassCountLoss(nn.Module):
    """The base of losses that go by the training clips of each class; see `mmdistill.losses.base`.

    Args:
        temperature: T.
        loss_weight: The factor on this loss.
        min_count: A class counts as having this many clips at least; 0 leaves the counts as they
            are, and a class without a clip may be an error.
    """

    needs_counts = True

    def __init__(self, temperature: float, loss_weight: float, min_count: int = 0) -> None:
        super().__init__()
        check_temperature(temperature)
        ZERO_OR_MORE.check(loss_weight=loss_weight)
        COUNT.check(min_count=min_count)
        self.temperature = temperature
        self.loss_weight = loss_weight
        self.min_count = min_count

    def counts(self, counts_K: Tensor, logits: Tensor) -> Tensor:
        """The counts that the loss goes by; on the CPU, where looking at them waits for no device.

        Raises:
            ValueError: They are of other classes than the logits.
        """
        check_as_many(counts_K, logits.shape[-1])
        return counts_K.clamp(min=self.min_count)
