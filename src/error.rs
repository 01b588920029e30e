//! One error type whose kind tells the caller what to do.

use std::fmt;

/// What went wrong, as a caller would act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input is valid but framepress cannot take it, or the file was written by a later version.
    /// Convert the input, or update framepress.
    Unsupported,
    /// The data does not match its checksum or breaks the format. Other batches may still decode.
    Corrupt,
    /// The data ends too early. Every batch before the cut still decodes.
    Truncated,
    /// An argument or an input file contradicts itself. Fix the call.
    InvalidInput,
    /// A size is above the configured limit. Raise the limit if the source is trusted.
    Limit,
    /// A GPU failed. The CPU gives the same bytes.
    Gpu,
    /// Reading or writing failed.
    Io,
    /// The caller asked to stop.
    Interrupted,
}

impl ErrorKind {
    fn label(self) -> &'static str {
        match self {
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Corrupt => "damaged data",
            ErrorKind::Truncated => "truncated data",
            ErrorKind::InvalidInput => "invalid input",
            ErrorKind::Limit => "limit exceeded",
            ErrorKind::Gpu => "GPU failure",
            ErrorKind::Io => "I/O error",
            ErrorKind::Interrupted => "interrupted",
        }
    }
}

/// The batch an error belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLocation {
    /// Number of the batch in its file, from 0.
    pub batch: u64,
    /// First frame of the batch.
    pub first_frame: u64,
    /// Frames in the batch.
    pub frames: u64,
}

/// An error with its [`ErrorKind`], a message that names the field, what was expected and what was
/// found, and, where one is known, the batch.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    location: Option<BatchLocation>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Result with framepress's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` with a message for people.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), location: None, source: None }
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    pub(crate) fn truncated(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Truncated, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, message)
    }

    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    pub(crate) fn gpu(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Gpu, message)
    }

    /// Says which batch the error belongs to, unless that is known already.
    pub(crate) fn at(mut self, location: BatchLocation) -> Self {
        self.location.get_or_insert(location);
        self
    }

    /// Puts `context` (a file name, say) before the message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The batch the error belongs to, where one is known.
    pub fn location(&self) -> Option<BatchLocation> {
        self.location
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.kind.label())?;
        if let Some(at) = self.location {
            let last = at.first_frame + at.frames.saturating_sub(1);
            write!(f, "batch {} (frames {} to {last}): ", at.batch, at.first_frame)?;
        }
        f.write_str(&self.message)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::UnexpectedEof => ErrorKind::Truncated,
            _ => ErrorKind::Io,
        };
        Self { kind, message: error.to_string(), location: None, source: Some(Box::new(error)) }
    }
}
