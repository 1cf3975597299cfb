"""What `pip install mmdistill` leaves out, and who asks for it."""

import contextlib
from importlib import metadata
from importlib.util import find_spec


def require(extra: str, *modules: str) -> None:
    """Say which extra a part of the package needs.

    Args:
        extra: Of setup.py; empty for what every installation with its dependencies has.
        modules: What it brings.

    Raises:
        ImportError: One of them is not installed.
    """
    missing = [name for name in modules if not _is_installed(name)]
    if missing:
        wanted = f"'mmdistill[{extra}]'" if extra else 'mmdistill'
        raise ImportError(
            f'This needs {" and ".join(missing)}, which is not installed: pip install {wanted}.'
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even its package
        return False


def installed_versions(*packages: str) -> dict[str, str]:
    """The versions of packages, of those that are installed: package to version."""
    found = {}
    for package in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found
