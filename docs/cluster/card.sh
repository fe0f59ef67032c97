#!/bin/bash
#SBATCH --job-name=aide-card
#SBATCH --time=01:00:00
#SBATCH --cpus-per-task=1
#SBATCH --mem=1G
# The task card and its check, which all parts take over: card.sh SEEDS DIR [OPTIONS]
set -euo pipefail
seeds=$1 dir=$2
shift 2
exec srun aide expand "$seeds" -o "$dir" --card-only --yes "$@"
