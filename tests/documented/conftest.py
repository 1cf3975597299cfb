"""The files of this folder, and those that call tools in this process, are imported by name."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[0] / 'bad_input')]
