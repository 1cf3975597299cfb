"""The student in somebody's hands: published as one file, loaded, predicting, exported."""

from .inferencer import ActionInferencer, load_model
from .live import LivePrediction
from .prediction import ClassScore, Prediction
from .published import PublishedModel, read_published, write_published
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
