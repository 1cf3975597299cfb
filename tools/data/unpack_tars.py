"""The same as `mmdistill unpack-tars`."""

import sys

from mmdistill.commands.unpack_tars import main

if __name__ == '__main__':
    sys.exit(main())
