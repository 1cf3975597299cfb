"""The same as `mmdistill extract-flow`."""

import sys

from mmdistill.commands.extract_flow import main

if __name__ == '__main__':
    sys.exit(main())
