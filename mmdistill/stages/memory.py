"""Memory of a process and everything it started."""

import psutil


def process_tree_bytes(pid: int) -> int:
    """Bytes in use by a process and its descendants; 0 once it is gone.

    Proportional set size where the system tells it: pages that a parent shares with its loader
    workers count once, which the sum of resident sizes would count per worker.
    """
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_process_bytes(process) for process in processes)


def _process_bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.AccessDenied:
        memory = process.memory_info()
    except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
        return 0
    return getattr(memory, 'pss', 0) or memory.rss
