#!/bin/sh
# Print the first Python that runs and that setup.py allows: the names given, or the usual ones.
# Each candidate is run, because a shim (pyenv's, for one) may be on the PATH and still fail.
here=$(dirname "$0")
if [ $# -eq 0 ] || [ -z "$1" ]; then
    set -- python3 python3.11 python3.12 python3.10 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[0-2].*/bin/python
fi
for python in "$@"; do
    if "$python" "$here/setup_env" --check-python >/dev/null 2>&1; then
        command -v "$python"
        exit 0
    fi
    version=$("$python" --version 2>/dev/null) || version='does not run'
    tried="$tried $python ($version)"
done
wanted=$(sed -n "s/^PYTHON = '\(.*\)'.*/\1/p" "$here/../setup.py")
echo "[setup] ERROR: no suitable Python: mmdistill needs Python $wanted. Tried:$tried." >&2
echo '[setup] Install one (on Debian: apt install python3.11 python3.11-venv python3.11-dev),' >&2
echo '[setup] or name one: make setup PYTHON=/path/to/python3.11' >&2
exit 1
