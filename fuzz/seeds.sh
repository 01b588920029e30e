#!/usr/bin/env bash
# Makes seeds for every target from the clips in tests/data: pieces of them, and files that the program makes of pieces.
# Usage: fuzz/seeds.sh FOLDER [PROGRAM]   (seeds of a target go to FOLDER/TARGET)
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
folder=$1
program=${2:-${CARGO_TARGET_DIR:-target}/release/framepress}
rgb=tests/data/bbb_rgb_317x179.npy
yuv=tests/data/bbb_yuv420_320x176.y4m

for target in ans append batch block container discrete image input model motion pack plan recover recovered tiles writer; do
  mkdir -p "$folder/$target"
done

# piece FILE FROM BYTES: some bytes of a file. What reads the rest of it is stopped, which is no failure.
piece() { tail -c +"$(($2 + 1))" "$1" | head -c "$3" || true; }
# few: of every byte the highest bit, as in masks.
few() { LC_ALL=C tr '\000-\177\200-\377' '[\000*128][\007*128]'; }
# seed TARGET: a seed from stdin, named by its content.
seed() {
  local content
  content=$(mktemp "$folder/seed.XXXXXX")
  cat >"$content"
  mv "$content" "$folder/$1/$(sha1sum <"$content" | cut -c 1-16)"
}

# Whole files of small batches: every level, samples of one and two bytes, pictures of colours and of few values. Rows of a clip
# are its pictures here.
file() { "$program" compress - --device cpu --threads 1 -q -o - "$@"; }
for level in 1 2 4 7 8 9; do
  for target in append container recover; do
    file --level $level --raw 317x4:rgb24 --batch 2 < <(piece "$rgb" 60128 15216) | seed $target
    file --level $level --raw 64x20:gray --batch 3 < <(piece "$yuv" 40060 6400) | seed $target
    file --level $level --raw 64x20:gray --batch 2 < <(piece "$yuv" 40060 5120 | few) | seed $target
    file --level $level --raw 32x20:gray16 --batch 2 < <(piece "$yuv" 40060 5120) | seed $target
    file --level $level --raw 32x20:yuv420p --batch 2 < <(piece "$yuv" 90060 3840) | seed $target
  done
done
for codec in store lz4 zstd ans pack; do
  for target in append container recover; do
    file --codec $codec --raw 64x20:gray --batch 2 < <(piece "$yuv" 40060 5120) | seed $target
  done
done
for conversion in tests/data/converted/*.rgb; do
  file --level 2 --raw 32x12:rgb24 --batch 1 <"$conversion" | head -c 8192 | seed container
done

# Pieces of pictures, and of packed ones, for what takes any bytes.
for target in ans batch block discrete model motion pack plan recovered tiles writer; do
  for from in 40000 400000 900000; do
    piece "$rgb" $from 300 | seed $target
    piece "$yuv" $from 2000 | seed $target
    piece "$yuv" $from 1000 | few | seed $target
  done
done
for level in 1 4 8; do
  for target in ans batch block model pack plan; do
    file --level $level --raw 64x20:gray < <(piece "$yuv" 40060 5120) | tail -c +118 | seed $target
  done
done

# Inputs: the first byte says whether what follows is raw video.
for header in "'|u1', 'fortran_order': False, 'shape': (3, 4, 5)" "'>u2', 'fortran_order': True, 'shape': (5, 3, 2)" \
  "'<f4', 'fortran_order': False, 'shape': (15,)"; do
  { printf '\1\223NUMPY\1\0v\0'; printf "%-117s\n" "{'descr': $header, }"; piece "$rgb" 9000 60; } | seed input
done
{ printf '\1'; piece "$rgb" 0 600; } | seed input
{ printf '\1YUV4MPEG2 W4 H2 F25:1 Ip C420\nFRAME\n'; piece "$yuv" 9000 12; printf 'FRAME Ip\n'; piece "$yuv" 9012 12; } | seed input
{ printf '\1YUV4MPEG2 W3 H2 Cmono10\nFRAME\n'; piece "$yuv" 9000 12; } | seed input
for raw in 0 1 2 3; do
  { printf "\\0\\$raw"; piece "$yuv" 9000 180; } | seed input
done
if command -v ffmpeg >/dev/null; then
  for pixels in gray gray16be rgb24 rgba rgb48be; do
    for kind in png tiff; do
      ffmpeg -v error -f rawvideo -video_size 16x12 -pixel_format $pixels -i <(piece "$rgb" 60128 1536) \
        -frames:v 1 -c:v $kind -f image2pipe - | seed image
    done
  done
fi
