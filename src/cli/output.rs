//! Lines out: to standard output, or to standard error where standard output belongs to JSON.
//!
//! A reader that goes away (`| head`) is no error: what would have been written after that is not.
//! Colour only on a terminal, and not under `NO_COLOR`; `anstream` sees to both.
//!
//! What it is not: a log. Everything printed is an answer, a progress or an error.

pub use crate::corpus::Error;

use crate::corpus::shown;
use anstyle::{AnsiColor, Style};
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// How an error is announced.
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// A stream of lines that may lose its reader.
pub struct Output {
    stream: Mutex<Box<dyn Write + Send>>,
    name: &'static str,
    closed: AtomicBool,
}

impl Output {
    /// Standard output.
    pub fn stdout() -> Self {
        Self::new(anstream::stdout(), "standard output")
    }

    /// Standard error.
    pub fn stderr() -> Self {
        Self::new(anstream::stderr(), "standard error")
    }

    fn new(stream: impl Write + Send + 'static, name: &'static str) -> Self {
        Self { stream: Mutex::new(Box::new(stream)), name, closed: AtomicBool::new(false) }
    }

    /// Whether the reader has gone away.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Writes `text` as it is.
    ///
    /// # Errors
    /// If it cannot be written though there is a reader (a full disk).
    pub fn print(&self, text: &str) -> Result<(), Error> {
        if self.is_closed() {
            return Ok(());
        }
        let mut stream = self.stream.lock().expect("nothing panics while it writes");
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            result => {
                result.map_err(|source| io_error(Path::new(self.name), "write to it", source))
            }
        }
    }

    /// Writes `text` and ends the line.
    ///
    /// # Errors
    /// As [`Output::print`].
    pub fn line(&self, text: &str) -> Result<(), Error> {
        self.print(&format!("{text}\n"))
    }
}

/// An answer of the system about `path`.
pub fn io_error(path: &Path, doing: &'static str, source: io::Error) -> Error {
    Error::Io { path: path.to_path_buf(), doing, source }
}

/// What was asked for cannot be done with `path`.
pub fn refused(path: &Path, why: impl Into<String>, next: &'static str) -> Error {
    Error::Refused { path: path.to_path_buf(), why: why.into(), next }
}

/// Writes to standard error, where nothing can be done about a failure.
pub fn note(text: &str) {
    drop(writeln!(anstream::stderr(), "{text}"));
}

/// Says why a command could not run.
pub fn error(error: &Error) {
    note(&format!("{ERROR}error:{ERROR:#} {error}"));
}

/// Says that this program is at fault. The panic's own message has been printed before.
pub fn own_error(line: &[OsString]) {
    let line: Vec<String> = line.iter().map(|word| shown(Path::new(word))).collect();
    note(&format!(
        "{ERROR}error:{ERROR:#} this is an error of pagerace itself, not of what it tests\n  \
         next: report it to where you got pagerace from, with the message above,\n        \
         the files it was given, and this:\n        \
         pagerace {}: {}",
        env!("CARGO_PKG_VERSION"),
        line.join(" ")
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fails(ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        let out = Output::new(Fails(ErrorKind::BrokenPipe), "standard output");
        assert!(out.line("one").is_ok() && out.is_closed());
        assert!(out.line("two").is_ok());
    }

    #[test]
    fn a_full_disk_is() {
        let out = Output::new(Fails(ErrorKind::StorageFull), "standard output");
        let error = out.line("one").unwrap_err().to_string();
        assert!(error.starts_with("standard output: cannot write to it:"), "{error}");
        assert!(error.contains("next:"), "{error}");
        assert!(!out.is_closed());
    }
}
