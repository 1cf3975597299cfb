#!/usr/bin/env bash
# Train on several processes of this machine: tools/dist_train.sh CONFIG NUM_PROCESSES [FLAGS...]
# One process per GPU; without a GPU the processes talk through gloo.
set -eu
config=${1:?config} processes=${2:?number of processes}
shift 2
PYTHONPATH="$(dirname "$0")/..:${PYTHONPATH:-}" exec "${PYTHON:-python}" -m mmdistill.launch \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    --nproc_per_node="$processes" "$(dirname "$0")/train.py" "$config" --launcher pytorch "$@"
