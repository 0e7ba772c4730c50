#!/usr/bin/env bash
# The gate: is the candidate, the code that is installed here, worse than a baseline?
#
#   gate.sh shard 1/4 [options of the plan]        one part of the plan, for one of several machines
#   gate.sh judge BASELINE [options of the plan]   unite the parts, write the report, compare with the baseline
#   gate.sh all BASELINE [options of the plan]     both, with all parts on this machine, side by side
#
# BASELINE is a store or a commit. The options are those of `hebbench run` that say what runs: --learner, --task, --suite,
# --seeds, --no-controls. From the environment: PRESET (quick), OUT (gate), SHARDS (2, for `all`), JOBS (1) and
# HEBBENCH (hebbench). In OUT: the parts, candidate.db, report.html and comparison.md, and the stores of baselines.
#
# Exit code: 0 no significant fall; 1 a significant fall, a new failure, or parts that disagree; 2 usage.
set -euo pipefail

PRESET=${PRESET:-quick}
OUT=${OUT:-gate}
SHARDS=${SHARDS:-2}
JOBS=${JOBS:-1}
read -r -a HEBBENCH <<<"${HEBBENCH:-hebbench}"

usage() {
  sed -n 's/^# \{0,1\}//; 2,13p' "$0" >&2
  exit 2
}

# A trial that fails is a row, and the comparison judges it: only what kept the run from its end ends the gate.
run() {
  local code=0
  "${HEBBENCH[@]}" run "$PRESET" --jobs "$JOBS" "$@" || code=$?
  if [ "$code" -gt 1 ]; then return "$code"; fi
}

shard() {
  local part=$1
  shift
  run --shard "$part" --store "$OUT/part-${part/\//-of-}.db" --quiet "$@"
}

judge() {
  local baseline=$1 code=0
  shift
  rm -f "$OUT/candidate.db"
  "${HEBBENCH[@]}" merge --output "$OUT/candidate.db" "$OUT"/part-*.db
  run --store "$OUT/candidate.db" --report "$OUT/report.html" "$@"
  local -a plan=()
  if [ ! -f "$baseline" ]; then plan=(--preset "$PRESET" --keep "$OUT" --jobs "$JOBS" "$@"); fi
  "${HEBBENCH[@]}" compare "$baseline" "$OUT/candidate.db" --output "$OUT/comparison.md" ${plan[@]+"${plan[@]}"} || code=$?
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ "$code" -le 1 ]; then cat "$OUT/comparison.md" >>"$GITHUB_STEP_SUMMARY"; fi
  return "$code"
}

all() {
  local baseline=$1 i pid
  local -a pids=()
  shift
  for ((i = 1; i <= SHARDS; i++)); do
    shard "$i/$SHARDS" "$@" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
  judge "$baseline" "$@"
}

[ $# -ge 2 ] || usage
mkdir -p "$OUT"
case $1 in
  shard | judge | all) "$@" ;;
  *) usage ;;
esac
