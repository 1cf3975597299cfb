#!/usr/bin/env bash
# Test on several processes of this machine: tools/dist_test.sh CONFIG CHECKPOINT NUM_PROCESSES [FLAGS...]
# One process per GPU; without a GPU the processes talk through gloo. A MultimodalTeacher has no
# checkpoint of its own: give '' for it.
set -eu
config=${1:?config} checkpoint=${2?checkpoint, or an empty string} processes=${3:?number of processes}
shift 3
PYTHONPATH="$(dirname "$0")/..:${PYTHONPATH:-}" exec "${PYTHON:-python}" -m mmdistill.launch \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    --nproc_per_node="$processes" "$(dirname "$0")/test.py" "$config" ${checkpoint:+"$checkpoint"} \
    --launcher pytorch "$@"
