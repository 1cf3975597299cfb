"""The same as `mmdistill report`."""

import sys

from mmdistill.commands.report import main

if __name__ == '__main__':
    sys.exit(main())
