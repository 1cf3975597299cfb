"""The same as `mmdistill check`."""

import sys

from mmdistill.commands.check import main

if __name__ == '__main__':
    sys.exit(main())
