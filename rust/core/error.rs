//! What can go wrong in a kernel: bad input, named precisely, an interruption, or a method that did not converge.

use std::fmt::{self, Display, Write as _};

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a kernel did not return a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument broke a rule.
    #[error("{0}")]
    Invalid(Invalid),
    /// The caller asked the kernel to stop through its [`Control`](crate::run::Control).
    #[error("interrupted")]
    Interrupted,
    /// A buffer of this many bytes could not be allocated.
    #[error("not enough memory for {0} bytes")]
    Memory(usize),
    /// An iterative method ended before it reached its tolerance: what it reached, and what to try.
    #[error("{0}")]
    NotConverged(String),
    /// The system could not read or write a file.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: String,
        /// What kind of error it is.
        kind: std::io::ErrorKind,
        /// What the system says.
        message: String,
    },
    /// A file is not what it should be: which, where, and what is wrong with it.
    #[error("{0}")]
    Damaged(String),
}

impl Error {
    /// What the system said when it was asked to read or write `path`.
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        let message = error.to_string();
        let message = message.split(" (os error").next().unwrap_or_default().to_owned();
        Self::File { path: path.display().to_string(), kind: error.kind(), message }
    }
}

/// An argument that broke a rule: which one, where, what it was and what the rule is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Name of the argument as the caller knows it.
    pub argument: String,
    /// Position of the offending value; empty for the argument as a whole.
    pub index: Vec<usize>,
    /// The offending value as text; may be empty.
    pub value: String,
    /// What the value must satisfy, as a clause that follows "must".
    pub rule: String,
}

impl Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place = self.argument.clone();
        if !self.index.is_empty() {
            let index: Vec<String> = self.index.iter().map(usize::to_string).collect();
            write!(place, "[{}]", index.join(", "))?;
        }
        if self.value.is_empty() {
            write!(f, "{place} must {}", self.rule)
        } else {
            write!(f, "{place} must {}, got {}", self.rule, self.value)
        }
    }
}

/// An [`Error::Invalid`] for `argument[index]`, whose `value` must satisfy `rule`.
pub fn invalid(argument: &str, index: &[usize], value: impl Display, rule: impl Display) -> Error {
    Error::Invalid(Invalid {
        argument: argument.to_owned(),
        index: index.to_vec(),
        value: value.to_string(),
        rule: rule.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_argument_says_where_what_and_why() {
        let error = invalid("num_correct", &[3], 7, "be at most num_samples[3] = 5");
        assert_eq!(error.to_string(), "num_correct[3] must be at most num_samples[3] = 5, got 7");
        assert_eq!(invalid("k", &[], "", "not be empty").to_string(), "k must not be empty");
    }
}
