"""A first project over a user's own files: look at them, and write its configs."""

from .look import Found, Request, look
from .write import project_files

__all__ = ['Found', 'Request', 'look', 'project_files']
