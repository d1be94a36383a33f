#!/usr/bin/env bash
# One allocation, one Ray over all of its nodes:
#     sbatch infra/clusters/slurm/allocation.sh talking_head list.txt /scratch/corpus [more options of headset run]
# CORPUS is on storage that all nodes see, or s3://BUCKET/corpus. A job that ends early goes on when it is submitted again.
#SBATCH --job-name=headset
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --output=headset-%j.log
set -euo pipefail
recipe=${1:?the recipe} list=${2:?a list of videos} corpus=${3:?the corpus}
shift 3

first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address="$first:${RAY_PORT:-6379}"
# `ray symmetric-run` ends with 0 where Ray did not start; so what ran to its end leaves a mark.
ended=$PWD/headset-$SLURM_JOB_ID.ended
rm -f "$ended"
# shellcheck disable=SC2016  # bash of the first node puts its own arguments in
srun --ntasks-per-node=1 ray symmetric-run --address "$address" --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus="$SLURM_CPUS_PER_TASK" --include-dashboard=false --disable-usage-stats \
    -- env RAY_ADDRESS="$address" bash -c 'ended=$1; shift; "$@" && touch "$ended"' bash "$ended" \
    headset run "$recipe" "$list" --out "$corpus" --wait "$@"
[[ -e $ended ]] || { echo "headset: the run did not come to its end; submit it again to go on" >&2; exit 1; }
rm "$ended"
