#!/usr/bin/env bash
# One round trip of every codec and method under valgrind's memcheck: reads and writes out of bounds, and decisions on memory
# that nobody has written, in C code too.
# Usage: scripts/memcheck.sh
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet --release --locked
program=$(realpath "${CARGO_TARGET_DIR:-target}")/release/framepress
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
rgb=$PWD/tests/data/bbb_rgb_317x179.npy
yuv=$PWD/tests/data/bbb_yuv420_320x176.y4m
golden=$PWD/tests/golden/v1
cd "$folder"
# valgrind knows no AVX-512.
export FRAMEPRESS_SIMD=avx2
# Threads of the pool live until the end, so what they hold is "possibly lost".
check() { valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
  "$program" "$@"; }

# round_trip NAME RAW_FORMAT OPTIONS...: the raw file NAME there and back.
round_trip() {
  local name=$1 format=$2
  shift 2
  check compress "$name" --raw "$format" -o packed.fpk -f -q --device cpu --threads 2 "$@"
  check decompress packed.fpk -o back -f -q --device cpu --threads 2
  cmp "$name" back
  "$program" info packed.fpk | sed -n "s/.*ratio [0-9.]*, \([a-z][a-z ]*\).*/$name $format $*: \1/p" | sort -u
}

# Pieces of the clips: whole rows as pictures of their own.
tail -c +129 "$rgb" | head -c $((317 * 3 * 64)) >rgb.raw || true
tail -c +60000 "$yuv" | head -c $((320 * 64)) >gray.raw || true
LC_ALL=C tr '\000-\177\200-\377' '[\000*128][\007*128]' <gray.raw >few.raw
for level in 1 2 8; do
  round_trip rgb.raw 317x32:rgb24 --level $level
  round_trip gray.raw 320x32:gray --level $level
  round_trip gray.raw 160x32:gray16 --level $level
  round_trip few.raw 320x32:gray --level $level
done
for codec in store lz4 zstd ans pack; do
  round_trip gray.raw 320x32:gray --level 3 --codec $codec
done
# What the clips do not bring about.
for file in "$golden"/*.fpk; do
  check verify "$file" >/dev/null
  echo "$(basename "$file"): read"
done
echo "memcheck: nothing found"
