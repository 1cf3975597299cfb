"""The same as `mmdistill pack-hdf5`."""

import sys

from mmdistill.commands.pack_hdf5 import main

if __name__ == '__main__':
    sys.exit(main())
