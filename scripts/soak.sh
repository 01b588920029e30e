#!/usr/bin/env bash
# Mixed work with injected faults for a while, within an address space that is limited: tests/soak.rs.
# Usage: scripts/soak.sh [MINUTES]   (20 without it)
set -euo pipefail
cd "$(dirname "$0")/.."

cargo test --quiet --release --locked --no-run --test soak
# Threads reserve addresses that they do not use; what they do use, the test bounds by itself.
ulimit -v $((2 << 20))
FRAMEPRESS_SOAK=$((${1:-20} * 60)) cargo test --quiet --release --locked --test soak -- --nocapture
