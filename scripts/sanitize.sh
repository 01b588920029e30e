#!/usr/bin/env bash
# Runs tests under sanitizers, with a stable compiler on Linux: those of unsafe code, and of what calls it, under
# AddressSanitizer; those of threads, and of what they share, under ThreadSanitizer.
# Usage: scripts/sanitize.sh [address|thread]   (both without it)
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
root=${CARGO_TARGET_DIR:-target}/sanitize
# The runtimes come with the toolchain; the flags that ask for them are unstable.
export RUSTC_BOOTSTRAP=1

# tests SANITIZER ARGUMENTS...: of the crate without GPUs, whose rows would test their drivers.
tests() {
  # Debug assertions find what overflows unseen.
  RUSTFLAGS="-Zsanitizer=$1 -Cdebug-assertions -Cdebuginfo=1" cargo test --quiet --release --locked --no-default-features \
    --target "$host" --target-dir "$root/$1" "${@:2}"
}

address() {
  # C code is instrumented too. GCC shares tables that are local in C among calls, and takes them for gone after the first.
  # Memory that is never freed is found as well.
  CFLAGS=-fno-sanitize-address-use-after-scope ASAN_OPTIONS=detect_leaks=1 \
    tests address --lib -- codec:: cpu:: tiled:: strips:: recovered:: container:: pipeline:: pool::
  echo "address: nothing found"
}

# Needs the source of the standard library (rustup component add rust-src): what it does to threads has to be seen too.
thread() {
  tests thread -Zbuild-std --lib -- \
    pool:: pipeline:: schedule::tests:: follow:: read_at:: motion:: codec::discrete::
  # Memory is not what it is otherwise. Golden files are of every method.
  tests thread -Zbuild-std --test shared --test threads --test golden -- --skip leave_nothing
  echo "thread: nothing found"
}

case ${1:-both} in
  address | thread) "$1" ;;
  both)
    address
    thread
    ;;
  *)
    sed -n '2,4s/^# //p' "$0" >&2
    exit 2
    ;;
esac
