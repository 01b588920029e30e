# What CI runs, on a machine that has a GPU adapter (a software one will do).
check:
    bash .ci/run

# The tests alone.
test:
    cargo test --release

# Every bench; results under target/criterion.
bench:
    cargo bench

# Licences and advisories (needs cargo-deny).
deny:
    cargo deny check

# The charts of README.md, on a machine that does nothing else.
charts:
    cargo run --release -- bench tests/data/bbb_rgb_317x179.npy --threads 1 --svg docs/levels.svg --force

# The table of docs/LEVELS.md, over any clips.
levels +clips:
    scripts/levels.sh {{clips}}
