//! One table: every backend of this machine gives the same bytes.
//!
//! A backend is the CPU at one of its SIMD levels, or an adapter. Without an adapter each GPU row is
//! there once and ignored; with `FRAMEPRESS_REQUIRE_GPU=1` it fails.

mod adapters;
mod backends;
mod canary;
mod cases;
#[path = "../made/mod.rs"]
mod made;
mod motion;
mod parts;
mod pipeline;
#[cfg(feature = "cli")]
mod program;
mod recovered;
mod recovery;
mod resident;
mod search;
mod stages;
mod tiles;

use std::process::ExitCode;

use libtest_mimic::{Arguments, run};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let of_methods = [stages::rows(), tiles::rows(), motion::rows(), recovery::rows(), search::rows()];
    let of_devices =
        [adapters::rows(), parts::rows(), pipeline::rows(), recovered::rows(), resident::rows(), canary::rows()];
    let rows = of_methods.into_iter().chain(of_devices).flatten();
    #[cfg(feature = "cli")]
    let rows = rows.chain(program::rows());
    run(&arguments, rows.collect()).exit_code()
}
