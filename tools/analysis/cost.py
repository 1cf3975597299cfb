"""The same as `mmdistill cost`."""

import sys

from mmdistill.commands.cost import main

if __name__ == '__main__':
    sys.exit(main())
