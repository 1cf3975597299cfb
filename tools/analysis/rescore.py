"""The same as `mmdistill rescore`."""

import sys

from mmdistill.commands.rescore import main

if __name__ == '__main__':
    sys.exit(main())
