//! Writes files so that each is there whole or not at all, whatever happens meanwhile.
//!
//! The content goes to a temporary file in the same directory, which is synced and then gets its name in
//! one step: [`create`] by a hard link, which fails if the name is taken; [`replace`] by a rename,
//! which drops what had the name. Then the directory is synced. A killed process leaves at most a
//! temporary. Its writer held a lock on it, so that [`sweep`] can tell it from one in use.
//!
//! What it is not: a lock on the directory. Two processes may write at a time, and neither waits.

use super::error::{Error, Result};
use rustix::process::{Resource, getrlimit};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How the names of temporaries begin; no entry's name begins with a dot.
const PREFIX: &str = ".pagerace-";
/// How they end.
const SUFFIX: &str = ".tmp";
/// How often a temporary may be taken away before that is an error: it takes a process that sweeps
/// between two adjacent system calls of this one.
const ATTEMPTS: usize = 8;

/// Makes `path` a file of this content, if there is nothing of that name. Returns whether it did.
///
/// # Errors
/// If it cannot be written. Then nothing has changed.
pub fn create(path: &Path, text: &[u8]) -> Result<bool> {
    publish(path, text, |temporary| match fs::hard_link(temporary, path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e),
    })
}

/// Makes `path` a file of this content, in place of what is there.
///
/// # Errors
/// If it cannot be written. Then what was there still is.
pub fn replace(path: &Path, text: &[u8]) -> Result<()> {
    publish(path, text, |temporary| fs::rename(temporary, path))
}

fn publish<T>(path: &Path, text: &[u8], name: impl Fn(&Path) -> io::Result<T>) -> Result<T> {
    let directory = path.parent().expect("files are written into a directory");
    fits_the_limit(path, text)?;
    for _ in 0..ATTEMPTS {
        let temporary = Temporary::new(directory).map_err(Error::io(directory, "write into it"))?;
        let Some(mut temporary) = temporary else { continue };
        temporary.fill(text).map_err(Error::io(path, "write it"))?;
        match name(&temporary.path) {
            Ok(result) => {
                sync(directory)?;
                return Ok(result);
            }
            // Swept away: a system without such locks, or another process's mistake.
            Err(e) if e.kind() == io::ErrorKind::NotFound && directory.is_dir() => {}
            Err(e) => return Err(Error::io(path, "give the file its name")(e)),
        }
    }
    let why = "other processes keep removing what is being written here";
    Err(Error::refused(directory, why, "choose another directory"))
}

/// A process that writes past the limit is killed by a signal; this one says so instead.
fn fits_the_limit(path: &Path, text: &[u8]) -> Result<()> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if limit < text.len() as u64 => {
            Err(Error::io(path, "write it")(rustix::io::Errno::FBIG.into()))
        }
        _ => Ok(()),
    }
}

fn sync(directory: &Path) -> Result<()> {
    File::open(directory)
        .and_then(|opened| opened.sync_all())
        .map_err(Error::io(directory, "make what was written last"))
}

/// A file without its final name. Dropping it removes the name it has.
struct Temporary {
    file: File,
    path: PathBuf,
}

impl Temporary {
    /// A new one, locked. None if a sweep came in between.
    fn new(directory: &Path) -> io::Result<Option<Self>> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}{SUFFIX}", std::process::id());
        let path = directory.join(name);
        let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => file,
            // Left by a killed process that had this number.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(e) => return Err(e),
        };
        let temporary = Self { file, path };
        match temporary.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            // No locks here; then sweeping finds none to remove either.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(e)) => return Err(e),
        }
        let is_named = temporary.file.metadata()?.nlink() > 0;
        Ok(is_named.then_some(temporary))
    }

    fn fill(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.write_all(text)?;
        self.file.sync_all()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing of this name; otherwise the next sweep tries again.
        drop(fs::remove_file(&self.path));
    }
}

/// Removes the temporaries that killed processes left in `directory`. What cannot be removed stays:
/// it is in nobody's way.
pub fn sweep(directory: &Path) {
    let Ok(files) = fs::read_dir(directory) else { return };
    for file in files.flatten() {
        let name = file.file_name();
        let ours = name.to_str().is_some_and(|n| n.starts_with(PREFIX) && n.ends_with(SUFFIX));
        if !ours || !file.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        // The lock is held until the name is gone, so that nobody begins to write to it.
        if let Ok(opened) = File::open(file.path())
            && opened.try_lock().is_ok()
        {
            drop(fs::remove_file(file.path()));
        }
    }
}
