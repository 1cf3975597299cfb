"""The student in somebody's hands: published as one file, loaded, predicting, exported.

Each name is imported when it is asked for: predicting with an exported model needs no PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .described import PublishedModel
    from .inferencer import ActionInferencer, load_model
    from .live import LivePrediction
    from .prediction import ClassScore, Prediction
    from .published import read_published, write_published
    from .publishing import publish_model
    from .segments import Segment, merge_windows, window_starts

__all__ = [
    'ActionInferencer',
    'ClassScore',
    'LivePrediction',
    'Prediction',
    'PublishedModel',
    'Segment',
    'load_model',
    'merge_windows',
    'publish_model',
    'read_published',
    'window_starts',
    'write_published',
]
_ROOMS = {
    'described': ('PublishedModel',),
    'inferencer': ('ActionInferencer', 'load_model'),
    'live': ('LivePrediction',),
    'prediction': ('ClassScore', 'Prediction'),
    'published': ('read_published', 'write_published'),
    'publishing': ('publish_model',),
    'segments': ('Segment', 'merge_windows', 'window_starts'),
}
_PLACES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    """One of `__all__`."""
    if name not in _PLACES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'.{_PLACES[name]}', __name__), name)
