"""The same as `mmdistill test`."""

import sys

from mmdistill.commands.test import main

if __name__ == '__main__':
    sys.exit(main())
