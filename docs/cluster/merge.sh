#!/bin/bash
#SBATCH --job-name=aide-merge
#SBATCH --time=04:00:00
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --requeue
# The parts become one, and what is short of the target is grown: merge.sh SEEDS DIR [OPTIONS]
set -euo pipefail
seeds=$1 dir=$2
shift 2
code=0
aide merge "$dir" || code=$?
if [ "$code" -ne 6 ]; then exit "$code"; fi
exec srun aide expand "$seeds" -o "$dir" --yes "$@"
