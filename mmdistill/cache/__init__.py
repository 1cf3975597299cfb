"""Teacher cache: the experts' logits on disk, in place of the experts."""

from .cached_teacher import CachedTeacher
from .config import inner_dataset, use_teacher_cache
from .fingerprint import fingerprint
from .format import Manifest, pack_logits, read_manifest, unpack_logits
from .reader import TeacherCache
from .writer import CacheWriter

__all__ = [
    'CacheWriter',
    'CachedTeacher',
    'Manifest',
    'TeacherCache',
    'fingerprint',
    'inner_dataset',
    'pack_logits',
    'read_manifest',
    'unpack_logits',
    'use_teacher_cache',
]
