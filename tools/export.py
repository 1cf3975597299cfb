"""The same as `mmdistill export`."""

import sys

from mmdistill.commands.export import main

if __name__ == '__main__':
    sys.exit(main())
