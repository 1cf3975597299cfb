"""The same as `mmdistill extract-detections`."""

import sys

from mmdistill.commands.extract_detections import main

if __name__ == '__main__':
    sys.exit(main())
