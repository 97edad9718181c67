#!/bin/sh
# Plans or applies in parts on a Slurm cluster, waits for all of them, and shows what they did as one run.
# Usage: submit.sh PARTS plan|apply|drift [WORD ...]; the exit status is that of the worst part.
set -eu

# The project (inventory/, site.yml, roles/), at the same path on every node.
export PROJECT="${PROJECT:-/srv/project/current}"
# Where the results go: a folder that all nodes share, or
export RESULTS="${RESULTS:-$HOME/results}"
# where there is none, the node that gathers them there, this one: every node reaches it by ssh.
export COLLECTOR="${COLLECTOR:-}"

parts=$1
shift
here=$(dirname "$0")
array=$(sbatch --parsable --array="0-$((parts - 1))" "$here/part.sbatch" "$@")
array=${array%%;*}
printf 'array %s, results in %s\n' "$array" "$RESULTS/$array" >&2
mkdir -p "$RESULTS/$array"

# afterany: whatever became of the parts, those that are missing are named.
status=0
sbatch --quiet --wait --dependency="afterany:$array" ${COLLECTOR:+"--nodelist=$COLLECTOR"} \
  --output="$RESULTS/$array/merge.log" "$here/merge.sbatch" "$array" "$parts" || status=$?
cat "$RESULTS/$array/merge.log"
exit "$status"
