"""The same as `mmdistill cache-size`."""

import sys

from mmdistill.commands.cache_size import main

if __name__ == '__main__':
    sys.exit(main())
