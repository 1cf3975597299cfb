"""A warning of upstream that a user can do nothing about, stopped where it comes from.

Called by `mmdistill.hooks`, since it imports `mmengine.hooks`, in the manner of `compat.py`.
"""

from typing import Any

from mmengine.fileio import FileClient
from mmengine.hooks import checkpoint_hook
from mmengine.runner import checkpoint


def spare_unused_file_client() -> None:
    """Make no deprecated FileClient where nobody asked for one.

    Upstream: `CheckpointHook.before_train` and `save_checkpoint` of MMEngine 0.10.7 make one, which
    warns twice, and use a file backend instead; not reported. May go when they make none.
    """
    for module in (checkpoint_hook, checkpoint):
        if hasattr(module, 'FileClient'):
            module.FileClient = RequestedFileClient


class RequestedFileClient(FileClient):
    """A FileClient for those who configure `file_client_args`, and None for all others."""

    @classmethod
    def infer_client(
        cls, file_client_args: dict[str, Any] | None = None, uri: str | None = None
    ) -> FileClient | None:
        """The client that is asked for."""
        return FileClient.infer_client(file_client_args, uri) if file_client_args else None
