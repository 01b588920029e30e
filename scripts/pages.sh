#!/usr/bin/env bash
# The pages of `analyze` and `bench` in headless Chromium, as wide as a phone and as a desk, light and dark: nothing is wider than
# the screen, and dark is not light. The pages, and pictures of them to look at, go to FOLDER.
# Usage: scripts/pages.sh FOLDER   (CHROMIUM names the browser, if it is not chromium)
set -euo pipefail
[ $# -eq 1 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$1"
folder=$(realpath "$1")
cd "$(dirname "$0")/.."

cargo build --quiet --release --locked
program=${CARGO_TARGET_DIR:-target}/release/framepress
clip=tests/data/bbb_rgb_317x179.npy
"$program" analyze "$clip" --price-per-gb 0.02 --html "$folder/analyze.html" -qf
"$program" bench "$clip" --level 1,4,9 --runs 1 --stages --html "$folder/bench.html" --svg "$folder/bench.svg" -f >/dev/null

profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
# browser SCHEME OPTIONS...: the browser's numbers for dark and light are 0 and 1.
browser() {
  "${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" \
    --blink-settings=preferredColorScheme=$([ "$1" = dark ] && echo 0 || echo 1) "${@:2}" 2>/dev/null
}
# A page cannot be asked from outside, so another one has it in a frame and asks.
for width in 390 1200; do
  for page in analyze bench; do
    cat >"$profile/$page-$width.html" <<HTML
<iframe style="width: ${width}px; height: 800px; border: 0" src="file://$folder/$page.html"></iframe><p></p>
<script>
  document.querySelector("iframe").onload = (event) => {
    const page = event.target.contentDocument.documentElement;
    document.querySelector("p").textContent =
      "measured: " + page.scrollWidth + " " + getComputedStyle(page.querySelector("body")).backgroundColor;
  };
</script>
HTML
    colours=()
    for scheme in dark light; do
      measured=$(browser $scheme --allow-file-access-from-files --virtual-time-budget=5000 --dump-dom \
        "file://$profile/$page-$width.html" | sed -n 's/.*<p>measured: \([^<]*\)<.*/\1/p')
      [ -n "$measured" ] || { echo "$page: the browser has measured nothing" >&2; exit 1; }
      [ "${measured%% *}" -le $width ] || { echo "$page: ${measured%% *} pixels wide on a screen of $width" >&2; exit 1; }
      colours+=("${measured#* }")
      browser $scheme --window-size=$width,4000 --screenshot="$folder/$page-$width-$scheme.png" "file://$folder/$page.html"
    done
    [ "${colours[0]}" != "${colours[1]}" ] || { echo "$page: dark is light" >&2; exit 1; }
    echo "$page at $width: fits, ${colours[*]}"
  done
done
for scheme in dark light; do
  browser $scheme --window-size=740,380 --screenshot="$folder/charts-$scheme.png" "file://$folder/bench.svg"
done
! cmp -s "$folder/charts-dark.png" "$folder/charts-light.png" || { echo "charts: dark is light" >&2; exit 1; }
echo "charts: differ"
