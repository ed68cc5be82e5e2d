#!/bin/sh
# Runs the trials of one task of a job array, one after another:
#
#     task.sh PROGRAM TRIALS SUBMISSION
#
# Line SLURM_ARRAY_TASK_ID + 1 of TRIALS/slurm/SUBMISSION.tasks lists the trials as words that begin
# with ID:. The run directory of a trial is TRIALS/ID, its request TRIALS/ID.json, and its log
# TRIALS/ID.log. Without the list, which is removed to revoke a submission, the task does nothing.
program=$1
trials=$2
submission=$3
task=${SLURM_ARRAY_TASK_ID:-0}
threads=${SLURM_CPUS_PER_TASK:-1}
exec </dev/null >>"$trials/slurm/$submission.log" 2>&1

# At the time limit, a cancellation or a preemption, Slurm sends SIGTERM to the fit, too, which then
# writes a checkpoint and ends. The trials after it are left to another task.
stopping=
trap 'stopping=yes' TERM

status=0
entries=$(sed -n "$((task + 1))p" "$trials/slurm/$submission.tasks") || exit 1
for entry in $entries; do
    id=${entry%%:*}
    run=$trials/$id
    log=$run.log
    # Slurm may start a task again, for example after its node has failed.
    if [ -e "$log" ] && [ "$(tail -n 1 "$log")" = 'exit code 0' ]; then
        continue
    fi
    echo "job ${SLURM_ARRAY_JOB_ID:-?}_$task on $(hostname)" >>"$log"
    if [ -e "$run/run.json" ]; then
        set -- --resume "$run"
    else
        set -- --request "$run.json" --out "$run"
    fi
    "$program" fit "$@" --threads "$threads" --json >/dev/null 2>>"$log"
    code=$?
    echo "exit code $code" >>"$log"
    [ "$code" = 0 ] || status=1
    [ -z "$stopping" ] || exit 1
done
exit $status
