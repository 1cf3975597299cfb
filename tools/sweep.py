"""The same as `mmdistill sweep`."""

import sys

from mmdistill.commands.sweep import main

if __name__ == '__main__':
    sys.exit(main())
