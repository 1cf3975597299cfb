"""The same as `mmdistill new-project`."""

import sys

from mmdistill.commands.new_project import main

if __name__ == '__main__':
    sys.exit(main())
