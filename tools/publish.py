"""The same as `mmdistill publish`."""

import sys

from mmdistill.commands.publish import main

if __name__ == '__main__':
    sys.exit(main())
