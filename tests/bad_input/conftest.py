"""The files of this folder import each other by name; the toy data is made once for all rows."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from toy_folder import make_toys  # noqa: E402


@pytest.fixture(scope='session')
def toys(tmp_path_factory) -> Path:
    """The folder that every row gets a copy of; nobody changes it."""
    return make_toys(tmp_path_factory.mktemp('bad_input') / 'toys')
