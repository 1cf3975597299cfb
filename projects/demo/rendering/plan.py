"""Which clips a demo rendering holds: labels, videos, participants, lengths; nothing is drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .motion import VERBS
from .nouns import NOUNS
from .parameters import DemoParameters
from .scene import Request

TRAIN_PARTICIPANTS = 8
SEEN_IN_VALIDATION = 4
UNSEEN_PARTICIPANTS = 2
FIRST_VIDEO = 101  # three digits, as in the extension of EPIC-KITCHENS-100


@dataclass(frozen=True)
class VideoPlan:
    """A video and the clips in it, in order."""

    video_id: str
    split: str  # 'train', 'val' or 'unlabelled'
    clips: tuple[Request, ...]
    entropy: tuple[int, ...]

    @property
    def participant_id(self) -> str:
        return self.video_id.split('_')[0]


def plan_videos(
    num_train: int, num_val: int, seed: int, params: DemoParameters, num_unlabelled: int = 0
) -> list[VideoPlan]:
    """Distribute clips over videos and participants: training, validation, unlabelled videos.

    Raises:
        ValueError: If there are too few clips to fill training and validation.
    """
    if num_train < 2 or num_val < 1:
        raise ValueError(
            f'Expected at least 2 training clips and 1 validation clip, got {num_train} and '
            f'{num_val}. Raise --train or --val.'
        )
    counts = {
        'train': _count_videos(num_train, TRAIN_PARTICIPANTS, params),
        'val': _count_videos(num_val, 3, params),
        'unlabelled': _count_videos(num_unlabelled, 0, params),
    }
    persons = _persons(counts, params.unseen_share)
    numbers = zip((num_train, num_val, num_unlabelled), (0, 1, 5), strict=True)
    clips = [clip for number, key in numbers for clip in _plan_clips(number, (seed, key), params)]
    sizes = [
        len(part)
        for number, count in zip((num_train, num_val, num_unlabelled), counts.values(), strict=True)
        for part in np.array_split(np.arange(number), count or 1)[:count]
    ]
    splits = [split for split, count in counts.items() for _ in range(count)]
    videos, used, taken = [], dict.fromkeys(persons, 0), 0
    for index, (person, size) in enumerate(zip(persons, sizes, strict=True)):
        video_id = f'P{person:02d}_{FIRST_VIDEO + used[person]}'
        used[person] += 1
        part = tuple(clips[taken : taken + size])
        videos.append(VideoPlan(video_id, splits[index], part, (seed, 2, index)))
        taken += size
    return videos


def _persons(counts: dict[str, int], unseen_share: float) -> list[int]:
    """Who is filmed in each video: in validation, some whom no training video shows."""
    train, val = counts['train'], counts['val']
    unseen = max(1, round(unseen_share * val)) if val > 1 else 0
    persons = [k % TRAIN_PARTICIPANTS + 1 for k in range(train)]
    seen = min(SEEN_IN_VALIDATION, train)
    persons += [k % seen + 1 for k in range(val - unseen)]
    persons += [k % UNSEEN_PARTICIPANTS + TRAIN_PARTICIPANTS + 1 for k in range(unseen)]
    return persons + [k % TRAIN_PARTICIPANTS + 1 for k in range(counts['unlabelled'])]


def held_out(videos: list[VideoPlan], share: float) -> set[str]:
    """Videos of the holdout: `share` of the training videos, evenly spread, at least one."""
    train = [video.video_id for video in videos if video.split == 'train']
    count = max(1, round(share * len(train)))
    return {train[(2 * k + 1) * len(train) // (2 * count)] for k in range(count)}


def _count_videos(clips: int, at_least: int, params: DemoParameters) -> int:
    """Enough videos for the clips, and in a tiny rendering still several of them."""
    return max(-(-clips // params.segments_per_video), min(clips, at_least))


def _plan_clips(count: int, entropy: tuple[int, int], params: DemoParameters) -> list[Request]:
    rng = np.random.default_rng((*entropy, 0))
    verbs = _draw_labels(list(VERBS), count, params.verb_skew, rng)
    nouns = _draw_labels(list(NOUNS), count, params.noun_skew, rng)
    frames = rng.integers(params.segment_frames[0], params.segment_frames[1] + 1, count)
    still = rng.integers(params.gap_frames[0], params.gap_frames[1] + 1, count)
    return [
        Request(verb, noun, int(length), int(gap), (*entropy, 1, index))
        for index, (verb, noun, length, gap) in enumerate(
            zip(verbs, nouns, frames, still, strict=True)
        )
    ]


def _draw_labels(names: list[str], count: int, skew: float, rng: Generator) -> NDArray:
    """`count` names in random order, the k-th in proportion to skew**k up to rounding."""
    share = skew ** np.arange(len(names))
    exact = count * share / share.sum()
    numbers = np.floor(exact).astype(int)
    largest_rest = np.argsort(numbers - exact, kind='stable')[: count - numbers.sum()]
    numbers[largest_rest] += 1
    return rng.permutation(np.repeat(names, numbers)).tolist()
