#!/bin/bash
# Submit a run in N parts: the card, then all parts as one array job, then the merge.
#     N=8 docs/cluster/submit.sh SEEDS DIR [OPTIONS OF aide expand]
# SEEDS and DIR must be seen by all nodes. What your cluster wants besides (account, partition) goes into SBATCH_ACCOUNT,
# SBATCH_PARTITION and so on, which sbatch reads.
set -euo pipefail
: "${N:?N=8 $0 SEEDS DIR OPTIONS: N is the number of parts}"
here=$(cd "$(dirname "$0")" && pwd)
card=$(sbatch --parsable "$here/card.sh" "$@")
parts=$(sbatch --parsable --dependency="afterok:$card" --array="0-$((N - 1))" "$here/part.sh" "$N" "$@")
merge=$(sbatch --parsable --dependency="afterok:$parts" "$here/merge.sh" "$@")
echo "card $card, parts $parts, merge $merge; aide status $2 shows where it stands"
