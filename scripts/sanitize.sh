#!/usr/bin/env bash
# Runs the tests of unsafe code, and of what calls it, under AddressSanitizer, with a stable compiler on Linux.
# Usage: scripts/sanitize.sh
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
# The runtime comes with the toolchain; the flag that asks for it is unstable.
export RUSTC_BOOTSTRAP=1
# Debug assertions find what overflows unseen.
export RUSTFLAGS="-Zsanitizer=address -Cdebug-assertions -Cdebuginfo=1"
# C code is instrumented too. GCC shares tables that are local in C among calls, and takes them for gone after the first.
export CFLAGS=-fno-sanitize-address-use-after-scope
# Memory that is never freed is found as well.
export ASAN_OPTIONS=detect_leaks=1
# Rows of a GPU would test its driver.
cargo test --quiet --release --locked --no-default-features --target "$host" --target-dir "${CARGO_TARGET_DIR:-target}/sanitize" \
  --lib -- codec:: cpu:: tiled:: strips:: recovered:: container:: pipeline:: pool::
echo "address: nothing found"
