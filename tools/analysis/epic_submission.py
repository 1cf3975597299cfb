"""The same as `mmdistill epic-submission`."""

import sys

from mmdistill.commands.epic_submission import main

if __name__ == '__main__':
    sys.exit(main())
