"""The same as `mmdistill extract-audio`."""

import sys

from mmdistill.commands.extract_audio import main

if __name__ == '__main__':
    sys.exit(main())
