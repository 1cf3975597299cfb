"""The same as `mmdistill predict`."""

import sys

from mmdistill.commands.predict import main

if __name__ == '__main__':
    sys.exit(main())
