//! Reads files that may hold anything.
//!
//! Whatever is larger than [`MAX_BYTES`] is refused by its size, before a byte is read; only plain
//! files are read; opening never waits (a FIFO without a writer would).
//!
//! What it is not: a parser.

use super::error::{Error, Result};
use crate::program::text::MAX_BYTES;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Whether a symbolic link is followed to what is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Links {
    /// Yes: the user named this path.
    Follow,
    /// No: the path was found in a directory, and the link may lead out of it.
    Refuse,
}

/// The content of a plain file of at most [`MAX_BYTES`].
///
/// # Errors
/// If it is not that, or cannot be read.
pub fn file(path: &Path, links: Links) -> Result<Vec<u8>> {
    let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    if links == Links::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| {
        if links == Links::Refuse && errno == Errno::LOOP {
            let next = "put the file itself there";
            return Error::refused(path, "symbolic links in a corpus are not followed", next);
        }
        Error::io(path, "open it")(errno.into())
    })?;
    let mut file = File::from(opened);
    let meta = file.metadata().map_err(Error::io(path, "look at it"))?;
    if meta.is_dir() {
        return Err(Error::refused(path, "this is a directory", "name a file in it"));
    }
    if !meta.is_file() {
        return Err(Error::refused(path, "this is not a plain file", "name a file"));
    }
    let too_large = |len: u64| {
        let why = format!("{len} bytes or more; a case has at most {MAX_BYTES}");
        Error::refused(path, why, "this is not a case; name a `.case` file")
    };
    if meta.len() > MAX_BYTES as u64 {
        return Err(too_large(meta.len()));
    }
    let mut bytes = Vec::with_capacity(meta.len() as usize);
    // It may have grown since.
    let limit = MAX_BYTES as u64 + 1;
    file.by_ref().take(limit).read_to_end(&mut bytes).map_err(Error::io(path, "read it"))?;
    if bytes.len() > MAX_BYTES { Err(too_large(limit)) } else { Ok(bytes) }
}
