"""Several processes of a tool, and one sentence if one of them fails: `python -m mmdistill.launch`.

The arguments are those of `torchrun`, which would end with a traceback of its own below the
sentence of every process.
"""

import json
import logging
import os
import sys
import time
from pathlib import Path

ERROR_FILE = 'TORCHELASTIC_ERROR_FILE'  # torchrun gives every process one
LAUNCHED = 'MMDISTILL_LAUNCHED'


def tell_launcher(message: str) -> bool:
    """Leave the sentence of this process to `main`, where that has launched it."""
    if LAUNCHED not in os.environ or ERROR_FILE not in os.environ:
        return False
    told = dict(message=f'error: {message}', extraInfo=dict(timestamp=str(int(time.time()))))
    Path(os.environ[ERROR_FILE]).write_text(json.dumps(dict(message=told)))
    return True


def main() -> None:
    """Launch, and end as the first process that failed."""
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    os.environ[LAUNCHED] = '1'
    for threads in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS'):
        os.environ.setdefault(threads, '1')  # as torchrun and MMEngine do, with a warning each
    logging.getLogger('torch.distributed.elastic').setLevel(logging.CRITICAL)
    try:
        run(parse_args(sys.argv[1:]))
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        message = failure.message['message'] if isinstance(failure.message, dict) else ''
        if not message.startswith('error: '):
            end = f'{failure.signal_name()} ({failure.exitcode})'
            message = f'error: process {rank} ended with {end}; see above what it said.'
        sys.stdout.flush()
        print(message, file=sys.stderr)
        sys.exit(failure.exitcode if failure.exitcode > 0 else 1)
    except SignalException as signal:
        sys.exit(128 + signal.sigval)


if __name__ == '__main__':
    main()
