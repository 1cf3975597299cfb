"""The files of this folder import each other by name, as when `video_table.py` is started."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
