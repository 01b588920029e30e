#!/usr/bin/env bash
# Ratio and speed of every level as a Markdown table: geometric means over CLIP...
# Usage: scripts/levels.sh CLIP... [-- options of framepress bench]   (default options: --threads 1 --runs 3)
set -euo pipefail

clips=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  clips+=("$1")
  shift
done
[ ${#clips[@]} -gt 0 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
if [ $# -gt 0 ]; then shift; else set -- --threads 1 --runs 3; fi

rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
manifest=$(dirname "$0")/../Cargo.toml
for clip in "${clips[@]}"; do
  cargo run --quiet --release --manifest-path "$manifest" -- bench "$clip" "$@" --json >>"$rows"
done

python3 - "$rows" "$*" "${#clips[@]}" <<'PYTHON'
import collections, datetime, json, math, sys

def documents(text):
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = decoder.raw_decode(text, at)
        yield document

figures = ("ratio", "compress_mb_per_s", "decompress_mb_per_s")
levels, devices = collections.defaultdict(list), set()
for row in (row for document in documents(open(sys.argv[1]).read()) for row in document):
    levels[row["level"]].append([row[figure] for figure in figures])
    devices.add(f"{row['device']}, threads: {row['threads']}")
if len(devices) > 1:
    sys.exit("one device at a time: " + "; ".join(sorted(devices)))

print("| level | ratio | compress, MB/s | decompress, MB/s |\n|---|---|---|---|")
for level, rows in sorted(levels.items()):
    ratio, there, back = (math.exp(sum(map(math.log, column)) / len(column)) for column in zip(*rows))
    print(f"| {level} | {ratio:.2f} | {there:.0f} | {back:.0f} |")
print(f"\nGeometric means, clips: {sys.argv[3]}; {devices.pop()}; `framepress bench CLIP {sys.argv[2]}`; "
      f"{datetime.date.today()}.")
PYTHON
