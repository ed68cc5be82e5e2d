# Habits, for https://just.systems. `just` alone lists them.

# List the recipes.
default:
    @just --list

# Format and lint, the quick half of the checks.
check:
    .ci/run format lint

# Run all tests as a release build.
test *ARGUMENTS:
    cargo test --release {{ARGUMENTS}}

# Run every check that a change must pass.
ci:
    .ci/run

# Type-check for Arm, Windows and macOS.
targets:
    .ci/run targets

# Time the theory, the engine's parts and a whole training step.
bench:
    cargo bench -p vi3nr
    cargo bench -p vi3nr-engine
    cargo run --release -- bench

# Render the book into target/book and open it.
book:
    mdbook serve --open

# Build the documentation of the crates.
doc:
    cargo doc --release --workspace --no-deps --open
