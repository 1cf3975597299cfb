"""The same as `mmdistill train`."""

import sys

from mmdistill.commands.train import main

if __name__ == '__main__':
    sys.exit(main())
