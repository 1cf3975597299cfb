"""The site: Sphinx, furo, MyST. `make docs` builds it without warnings."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import mmdistill

project = 'mmdistill'
author = 'the authors of mmdistill'
release = version = mmdistill.__version__
extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
]
myst_enable_extensions = ['dollarmath', 'colon_fence']
myst_heading_anchors = 3
html_theme = 'furo'
html_title = f'mmdistill {release}'
html_static_path: list[str] = []
# Names in docstrings are the code's own: B, K and T of a shape legend are no references.
default_role = 'code'
autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
autodoc_class_signature = 'mixed'
autodoc_inherit_docstrings = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
suppress_warnings = ['myst.xref_missing']  # files of the clone beside the site: test_docs.py
