"""What this project adds to mmdistill; configs import it by `custom_imports`."""

from .acceleration import AccelerationEncoder, AccelerationModality
from .cosine import CosineLoss

__all__ = ['AccelerationEncoder', 'AccelerationModality', 'CosineLoss']
