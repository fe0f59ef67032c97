#!/bin/bash
#SBATCH --job-name=aide-part
#SBATCH --time=12:00:00
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=TERM@180
# One part, by the number of its task in the array: part.sh N SEEDS DIR [OPTIONS]
# Three minutes before the time is up, SIGTERM ends the part like Ctrl-C, and the job is put into the queue again. After the
# loss of a node Slurm does the same. The part then goes on where it stopped; no answered call is paid for twice.
set -euo pipefail
count=$1 seeds=$2 dir=$3
shift 3
code=0
srun aide expand "$seeds" -o "$dir" --partition "$SLURM_ARRAY_TASK_ID/$count" --lock-wait 600 --yes "$@" || code=$?
case $code in
  0 | 6) ;;                                         # 6: short of its share, which the merge job makes up for
  130 | 143) scontrol requeue "$SLURM_JOB_ID" ;;    # interrupted
  *) exit "$code" ;;
esac
