"""The same as `mmdistill cache-teacher`."""

import sys

from mmdistill.commands.cache_teacher import main

if __name__ == '__main__':
    sys.exit(main())
