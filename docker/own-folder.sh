#!/bin/sh
# Starts a pod in a folder of its own below DATA_DIR, for replicas that share one volume (docker compose --scale): each
# takes the first numbered folder that no other holds. The kernel gives the lock back when the process ends, however
# it ends; so a pod that is started anew finds its ledger again, and its name in the fleet, which goes with the ledger.
set -eu
volume=${DATA_DIR:?DATA_DIR is the folder that the replicas share}
pacer=$(dirname "$0")/../dist/cli/pacer.js
folders=64
at=1
while [ "$at" -le "$folders" ]; do
  mkdir -p "$volume/$at"
  exec 9> "$volume/$at.lock"
  if flock --nonblock 9; then
    DATA_DIR="$volume/$at" NODE_ID="pacer-$at" exec node "$pacer" start
  fi
  at=$((at + 1))
done
echo "own-folder: all $folders folders of $volume are held by running pods" >&2
exit 1
