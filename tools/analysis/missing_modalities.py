"""The same as `mmdistill missing-modalities`."""

import sys

from mmdistill.commands.missing_modalities import main

if __name__ == '__main__':
    sys.exit(main())
