#!/usr/bin/env bash
# An array of jobs that know nothing of each other: each does its part of the corpus on one node.
#     sbatch --array=1-64 infra/clusters/slurm/array.sh talking_head list.txt /scratch/corpus [more options of headset run]
# The number of parts may be another one each time, and parts that failed may be submitted alone (--array=3,17): the bytes are the same.
# Most sites allow arrays of up to 1001 jobs (scontrol show config: MaxArraySize); `%16` behind the range has 16 run at a time.
#SBATCH --job-name=headset
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --output=headset-%A-%a.log
set -euo pipefail
recipe=${1:?the recipe} list=${2:?a list of videos} corpus=${3:?the corpus}
shift 3

# PARTS where an array is submitted again in part, since Slurm then counts only those.
parts=${PARTS:-$SLURM_ARRAY_TASK_MAX}
srun --ntasks=1 headset run "$recipe" "$list" --out "$corpus" --wait \
    --part "$SLURM_ARRAY_TASK_ID/$parts" --cpus "$SLURM_CPUS_PER_TASK" "$@"
