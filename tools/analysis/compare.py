"""The same as `mmdistill compare`."""

import sys

from mmdistill.commands.compare import main

if __name__ == '__main__':
    sys.exit(main())
