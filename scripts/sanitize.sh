#!/usr/bin/env bash
# Runs the tests of unsafe and of threaded code under AddressSanitizer and ThreadSanitizer, with a stable compiler on Linux.
# Usage: scripts/sanitize.sh [address|thread]...   (both without arguments; thread needs `rustup component add rust-src`)
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- address thread

host=$(rustc -vV | sed -n 's/^host: //p')
# The runtimes come with the toolchain; the flags that ask for them are unstable.
export RUSTC_BOOTSTRAP=1
# Coders with unsafe blocks, what calls them, and what runs on several threads. Rows of a GPU would test its driver.
unsafe_code=(codec:: cpu:: tiled:: strips:: recovered::)
threaded_code=(pool:: pipeline:: schedule:: follow:: writer:: codec::ans::tests codec::discrete cpu::tests)

sanitized() {
  local sanitizer=$1
  shift
  # A crate of its own for each, so that none is built again and again. Debug assertions find what wraps around unseen.
  RUSTFLAGS="-Zsanitizer=$sanitizer -Cdebug-assertions -Cdebuginfo=1" cargo test --quiet --release --locked --no-default-features \
    --target "$host" --target-dir "${CARGO_TARGET_DIR:-target}/sanitize-$sanitizer" "$@"
}

for sanitizer in "$@"; do
  case $sanitizer in
    address)
      # Memory that is never freed is found as well.
      export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
      # C code is instrumented too. GCC shares tables that are local in C among calls, and takes them for gone after the first.
      export CFLAGS=-fno-sanitize-address-use-after-scope
      sanitized address --lib -- "${unsafe_code[@]}"
      sanitized address --test round_trip --test flips
      ;;
    thread)
      # The standard library has to be instrumented too: its locks and channels are what orders threads.
      export TSAN_OPTIONS=halt_on_error=1
      sanitized thread -Zbuild-std --lib -- "${threaded_code[@]}"
      sanitized thread -Zbuild-std --test threads -- --skip ten_thousand
      ;;
    *)
      echo "$sanitizer: expected address or thread" >&2
      exit 2
      ;;
  esac
  echo "$sanitizer: nothing found"
done
