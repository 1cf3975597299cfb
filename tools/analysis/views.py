"""The same as `mmdistill views`."""

import sys

from mmdistill.commands.views import main

if __name__ == '__main__':
    sys.exit(main())
