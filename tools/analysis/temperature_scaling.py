"""The same as `mmdistill temperature-scaling`."""

import sys

from mmdistill.commands.temperature_scaling import main

if __name__ == '__main__':
    sys.exit(main())
