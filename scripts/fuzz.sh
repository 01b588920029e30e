#!/usr/bin/env bash
# Runs the fuzz targets with a stable compiler on Linux, from seeds made of tests/data; the corpus grows in fuzz/corpus.
# Usage: scripts/fuzz.sh SECONDS [TARGET...]   (SECONDS for each target; all targets without TARGET)
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
seconds=$1
shift
targets=("$@")
[ $# -gt 0 ] || for source in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$source" .rs)"); done

host=$(rustc -vV | sed -n 's/^host: //p')
root=${CARGO_TARGET_DIR:-target}
# What cargo-fuzz passes to a nightly compiler, but for the sanitizer.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
  -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing"
RUSTC_BOOTSTRAP=1 RUSTFLAGS=$coverage cargo build --quiet --release --locked --manifest-path fuzz/Cargo.toml \
  --target "$host" --target-dir "$root/fuzz" "${targets[@]/#/--bin=}"
if [ ! -d fuzz/corpus ]; then
  cargo build --quiet --release --locked
  fuzz/seeds.sh fuzz/corpus "$root/release/framepress"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Seconds of a processor, which on a busy machine are fewer than those of a clock.
TIMEFORMAT='stat::cpu_seconds: %U %S'
mkdir -p fuzz/artifacts
for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target"
  if ! { time "$root/fuzz/$host/release/$target" "fuzz/corpus/$target" -max_total_time="$seconds" -timeout=30 \
    -rss_limit_mb=3000 -artifact_prefix="fuzz/artifacts/$target-" -print_final_stats=1; } >"$log" 2>&1; then
    cat "$log"
    echo "$target: failed; the input is in fuzz/artifacts" >&2
    exit 1
  fi
  awk -v target="$target" '/^stat::number_of_executed_units/ { executions = $2 } /^stat::cpu_seconds/ { seconds = $2 + $3 }
    END { printf "%s: %d executions in %.0f CPU-seconds\n", target, executions, seconds }' "$log"
done
