"""`python -m mmdistill` is the console command."""

import sys
from typing import Any

from .cli import main

if __name__ == '__main__':
    code: Any = main()
    sys.exit(code)
