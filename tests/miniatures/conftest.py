"""The miniatures, written once for all tests of this folder."""

import pytest
from miniature_epic import write_published_frames
from reduced import write_miniatures


@pytest.fixture(scope='session')
def miniatures(tmp_path_factory):
    """The miniatures by the names that data sets have in configs; nobody changes them."""
    return write_miniatures(tmp_path_factory.mktemp('miniatures'))


@pytest.fixture
def published(tmp_path):
    """EPIC-KITCHENS-100 as tars and pickles, for one test alone."""
    return write_published_frames(tmp_path / 'published')
