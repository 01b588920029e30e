//! **What**: copies words. What a device does in this way is the most that any kernel of ours can hope for.
//!
//! **Forward**: word for word.
//!
//! **Inverse**: none: it is its own.
//!
//! **Wire parameters**: none; no batch is copied.
//!
//! **Twin**: `shaders/copy.wgsl`.

/// Copies `input` to `out`, which is as long.
pub fn forward(input: &[u32], out: &mut [u32]) {
    out.copy_from_slice(input);
}
