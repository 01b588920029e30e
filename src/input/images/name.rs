//! Names of image files: what is read, and what may be written.

use std::path::{Component, Path};

use crate::error::{Error, Result};

/// Kind of an image file, by the extension of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImageKind {
    Png,
    Tiff,
}

impl ImageKind {
    /// The kind that a name of a file or a path ends in, in any case.
    pub fn of(name: &Path) -> Option<Self> {
        match name.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "tif" | "tiff" => Some(Self::Tiff),
            _ => None,
        }
    }
}

/// Checks that a file of this name can be restored into a folder and nowhere else, on any system.
///
/// # Errors
/// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) naming the rule that is broken.
pub(super) fn check(name: &str) -> Result<ImageKind> {
    let refused = |rule: &str| Error::invalid(format!("image name '{}': {rule}", name.escape_debug()));
    if name.contains(['/', '\\']) {
        return Err(refused("expected a name without a folder"));
    }
    if name.chars().any(char::is_control) {
        return Err(refused("expected no line feeds or other control characters"));
    }
    // A colon is a drive or a stream of a file there.
    if cfg!(windows) && name.contains(':') {
        return Err(refused("expected no colon"));
    }
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(only)), None) if only == name => {}
        _ => return Err(refused("expected the name of a file")),
    }
    ImageKind::of(Path::new(name)).ok_or_else(|| refused("expected one that ends in .png, .tif or .tiff"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_only() {
        assert_eq!(check("frame 1.PNG").unwrap(), ImageKind::Png);
        assert_eq!(check("..a.tiff").unwrap(), ImageKind::Tiff);
        for name in [
            "",
            ".",
            "..",
            "/a.png",
            "a/b.png",
            "../a.png",
            "..\\a.png",
            "a\\b.png",
            "C:\\a.png",
            "a\nb.png",
            "a\0.png",
            "a.png/",
            "a.png/.",
            "a",
            ".png",
            "a.jpg",
            "a.png.exe",
        ] {
            assert!(check(name).is_err(), "{name:?}");
        }
    }
}
