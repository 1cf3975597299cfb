"""A teacher whose experts answered beforehand.

Shape legend: M = experts.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from torch import Tensor

from ..models import StudentRecognizer
from ..models.blending import Blend
from ..models.fusion import ExpertFusion, build_weightings
from ..models.teacher_output import ExpertAnswers, Feature, TeacherOutput
from .config import cache_settings
from .fingerprint import NOT_THERE, differences, fingerprint, frozen_experts, of_experts
from .format import read_manifest
from .reader import TeacherCache


class CachedTeacher(ExpertFusion):
    """Stand in for `MultimodalTeacher` where the student learns: weighs cached logits.

    Args:
        folder: The cache.
        weighting: As `MultimodalTeacher` takes it.
        views: See `TeacherCache`.
        experts: Those of the cache that teach; None for all.
    """

    # There are no experts who want the batch.
    live = share_inputs = prefetch = False

    def __init__(
        self,
        folder: str | Path,
        weighting: dict[str, Any],
        views: int | None = None,
        experts: Sequence[str] | None = None,
    ) -> None:
        self.cache = TeacherCache(folder, views, experts)
        manifest = self.cache.manifest
        self.experts = list(self.cache.experts)
        self.num_classes = dict(manifest.num_classes)
        self.class_names = {
            name: classes for name, classes in manifest.class_names.items() if name in self.experts
        }
        self.weightings = build_weightings(weighting, list(self.num_classes))
        self.holdout = self.cache.holdout()

    @classmethod
    def from_config(cls, cfg: Config, teacher: dict[str, Any], dataset: Any) -> 'CachedTeacher':
        """Open the config's `teacher_cache`, if it is what its experts would say.

        Args:
            cfg: The config of the run.
            teacher: The config of its `MultimodalTeacher`.
            dataset: The training set, possibly inside wrappers.

        Raises:
            ValueError: The cache depends on something else; says what.
        """
        settings = cache_settings(cfg)
        if settings is None:
            raise ValueError('The config has no teacher_cache.')
        folder, views = settings
        stored = read_manifest(folder).experts
        # One that the cache does not have is named by the check.
        experts = [name for name in frozen_experts(teacher) if name in stored]
        found = cls(folder, teacher['weighting'], views, experts)
        found.check(fingerprint(cfg, teacher, sample_ids(dataset)))
        return found

    def check(self, now: dict[str, Any]) -> None:
        """Raise ValueError unless the experts of this fingerprint would say what is stored."""
        stored = of_experts(self.cache.manifest.fingerprint, list(now['experts']))
        for name, expert in now['experts'].items():
            if expert['checkpoint'] == NOT_THERE and name in stored['experts']:
                expert['checkpoint'] = stored['experts'][name]['checkpoint']
                print_log(
                    f'Teacher cache: the checkpoint of expert {name!r} is not on this machine and '
                    'was not compared with the one that the cache was written with.',
                    'current',
                )
        if 'holdout' not in now:
            stored = {key: value for key, value in stored.items() if key != 'holdout'}
        found = differences(stored, now)
        if found:
            raise ValueError(
                f'The teacher cache {self.cache.folder} does not belong to this config: '
                f'{"; ".join(found)}. Correct the config, or write a new cache with '
                'mmdistill cache-teacher.'
            )

    def prepare(self, student: StudentRecognizer) -> None:
        """Nothing: its experts are not there."""

    def follow(self, student: StudentRecognizer) -> None:
        """Nothing: what they say is stored."""

    def own_state(self) -> dict[str, Tensor]:
        """Nothing changes."""
        return {}

    def load_own_state(self, state: dict[str, Tensor]) -> None:
        """Nothing to restore."""

    def watch(self, features: list[Feature]) -> None:
        """There are logits only.

        Raises:
            ValueError: A loss compares features.
        """
        if features:
            raise ValueError(
                f'A teacher cache holds logits, not features, but losses ask for {features}: '
                'remove these losses, or train with live experts (teacher_cache=None).'
            )

    def teach(
        self,
        batch: dict[str, Any],
        blend: Blend | None = None,
        answers: ExpertAnswers | None = None,
    ) -> TeacherOutput:
        """What the experts said about the clips of a collated batch, fused; on the CPU."""
        samples = batch['data_samples']
        clips = [_key(sample) for sample in samples]
        logits, available_BM = self.cache.rows(clips)
        return self.fuse(logits, samples, available_BM)


def sample_ids(dataset: Any) -> list[str]:
    """The ids of a data set's clips; nothing is decoded.

    Raises:
        TypeError: The data set does not know them.
    """
    while not hasattr(dataset, 'plain_record') and hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    if not hasattr(dataset, 'plain_record'):
        raise TypeError(
            f'A teacher cache needs the sample id of each clip, which {type(dataset).__name__} '
            'does not tell: use a data set of mmdistill.'
        )
    return [dataset.plain_record(i)['sample_id'] for i in range(len(dataset))]


def _key(sample: Any) -> tuple[int, str]:
    view = sample.metainfo.get('augmentation')
    if view is None or 'sample_id' not in sample.metainfo:
        raise KeyError(
            'A sample does not say which clip in which augmentation it is, so nothing in the '
            "teacher cache fits: sample with type='mmdistill.EpochSampler' from a data set of "
            "mmdistill, and keep 'sample_id' in the meta_keys."
        )
    return view, sample.metainfo['sample_id']
