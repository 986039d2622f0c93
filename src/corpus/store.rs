//! A directory of entries.
//!
//! An entry is the file `<name>.case`. No two entries of a store promise the same finding: it is kept
//! once, however often and by however many processes it is found: all of them try the
//! same names in the same order, and one of them gets each ([`write::create`]).
//!
//! Nothing outside the directory is reached through it: names cannot leave it, links are refused.
//! Files that are no entries are nobody's business, except that their names are taken.
//!
//! What it is not: a cache. Each call reads the directory.

use super::entry::{Entry, default_name, is_name, name_of_file};
use super::error::{Error, Result, shown};
use super::read::{self, Links};
use super::write;
use crate::program::Expect;
use crate::program::text::EXTENSION;
use crate::subject::Spec;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The environment variable that names another store, or none.
pub const VARIABLE: &str = "PAGERACE_CORPUS";
/// Its value for none.
pub const OFF: &str = "off";

/// The most files a directory of entries may have: far more than people look after.
const MAX_FILES: usize = 10_000;
/// The most entries that share a default name.
const MAX_NUMBER: usize = 1_000;

/// Where entries go, if anywhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// Here.
    Store(Store),
    /// Nowhere: the user said so.
    Off,
    /// Nowhere: no checkout was found from this directory upwards.
    NoCheckout(PathBuf),
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(store) => f.write_str(&shown(&store.directory)),
            Self::Off => write!(f, "no corpus: {VARIABLE} is `{OFF}`"),
            Self::NoCheckout(start) => write!(
                f,
                "no corpus: neither {} nor a directory above it has a `{MARKER}`; findings are \
                 shown and not kept (set {VARIABLE} to a directory to keep them)",
                shown(start)
            ),
        }
    }
}

/// What tells the root of a checkout from other directories, cargo-fuzz's `fuzz/corpus` among them.
const MARKER: &str = "corpus/replay.rs";

/// A directory of entries. It may not exist yet; the first entry makes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    directory: PathBuf,
}

/// What became of a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It is in this file now.
    New(PathBuf),
    /// This file already promises the same.
    Known(PathBuf),
}

impl Kept {
    /// The file that promises it.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::New(path) | Self::Known(path) => path,
        }
    }
}

impl Store {
    /// The store in `directory`, which is made if it is not there. What killed processes left is
    /// removed.
    ///
    /// # Errors
    /// If it is no directory and cannot be made one.
    pub fn at(directory: impl Into<PathBuf>) -> Result<Self> {
        let store = Self { directory: directory.into() };
        store.make()?;
        write::sweep(&store.directory);
        Ok(store)
    }

    /// The store in `directory`, to read.
    ///
    /// # Errors
    /// If it is no directory.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self> {
        let store = Self { directory: directory.into() };
        let meta = fs::metadata(&store.directory)
            .map_err(Error::io(&store.directory, "open the corpus"))?;
        if !meta.is_dir() {
            let next = "name the directory it is in";
            return Err(Error::refused(&store.directory, "this is not a directory", next));
        }
        Ok(store)
    }

    /// The store of this fuzz target: `corpus/<target>` of the checkout around the current
    /// directory, unless [`VARIABLE`] names another directory or says [`OFF`].
    ///
    /// # Errors
    /// If there is one that cannot be used.
    pub fn find(target: &str) -> Result<Found> {
        let here = std::env::current_dir()
            .map_err(Error::io(Path::new("."), "find the current directory"))?;
        Self::find_from(&here, std::env::var_os(VARIABLE).as_deref(), target)
    }

    /// [`Store::find`] from `start`, with this value of the variable.
    ///
    /// # Errors
    /// If there is one that cannot be used.
    pub fn find_from(start: &Path, variable: Option<&OsStr>, target: &str) -> Result<Found> {
        match variable {
            Some(value) if value == OFF => return Ok(Found::Off),
            Some(value) if value.is_empty() => {
                let next = "set it to a directory or to `off`, or unset it";
                return Err(Error::refused(Path::new(VARIABLE), "the variable is empty", next));
            }
            Some(value) => return Self::at(value).map(Found::Store),
            None => {}
        }
        if !is_name(target) {
            let next = "use letters, digits, dots, dashes and underscores";
            return Err(Error::refused(Path::new(target), "no target is called so", next));
        }
        let root = start
            .ancestors()
            .find(|dir| dir.join("Cargo.toml").is_file() && dir.join(MARKER).is_file());
        let Some(root) = root else { return Ok(Found::NoCheckout(start.to_path_buf())) };
        let directory = root.join("corpus").join(target);
        if fs::symlink_metadata(&directory).is_ok_and(|meta| meta.is_symlink()) {
            let next = "make it a directory, or name the one meant in PAGERACE_CORPUS";
            return Err(Error::refused(&directory, "this is a symbolic link", next));
        }
        // Made when there is something to keep: looking for findings leaves no empty directory.
        write::sweep(&directory);
        Ok(Found::Store(Self { directory }))
    }

    /// The stores under `root`: itself and its directories, whatever their depth, in order of path.
    ///
    /// # Errors
    /// If `root` is no directory, or there are too many below it.
    pub fn under(root: &Path) -> Result<Vec<Self>> {
        let mut stores = vec![Self::open(root)?];
        let mut next = 0;
        while let Some(store) = stores.get(next) {
            let children: Vec<_> = store
                .listing()
                // What cannot be read says so when its files are asked for.
                .unwrap_or_default()
                .into_iter()
                .filter(|(path, kind)| kind.is_dir() && !is_entry(path))
                .filter(|(path, _)| name_of(path).is_some_and(is_name))
                .map(|(directory, _)| Self { directory })
                .collect();
            stores.extend(children);
            if stores.len() > MAX_FILES {
                return Err(too_many(root));
            }
            next += 1;
        }
        stores.sort_by(|a, b| a.directory.cmp(&b.directory));
        Ok(stores)
    }

    /// Where it is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The paths of what is called like an entry, in order; no paths if the directory does not exist
    /// yet. What an entry must not be called, or is no file, is one of them: reading it says so.
    ///
    /// # Errors
    /// If it cannot be read or is too large.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let listing = self.listing()?.into_iter();
        Ok(listing.map(|(path, _)| path).filter(|path| is_entry(path)).collect())
    }

    /// Reads one of its files.
    ///
    /// # Errors
    /// If it cannot be read or is no entry.
    pub fn read(&self, spec: &Spec, path: &Path) -> Result<Entry> {
        Entry::parse(spec, path, &self.bytes(path)?)
    }

    /// The content of one of its files.
    pub(super) fn bytes(&self, path: &Path) -> Result<Vec<u8>> {
        if path.parent() != Some(&self.directory) || name_of(path).and_then(name_of_file).is_none()
        {
            let next = "use letters, digits, dots, dashes and underscores, then `.case`";
            return Err(Error::refused(path, "no entry of this corpus can be called so", next));
        }
        read::file(path, Links::Refuse)
    }

    /// The file that promises this, if there is one. Files that are no entries are passed over.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn holder(&self, spec: &Spec, expect: &Expect) -> Result<Option<PathBuf>> {
        let promises =
            |path: &PathBuf| self.read(spec, path).is_ok_and(|entry| entry.expect() == expect);
        Ok(self.files()?.into_iter().find(promises))
    }

    /// Keeps an entry, unless the store has one that promises the same. It is called `name`, or by
    /// what it promises; with a number if that is taken.
    ///
    /// # Errors
    /// If the store cannot be read or written. Then it is as it was.
    pub fn promote(&self, spec: &Spec, entry: &Entry, name: Option<&str>) -> Result<Kept> {
        self.make()?;
        if *entry.expect() != Expect::Pass
            && let Some(path) = self.holder(spec, entry.expect())?
        {
            return Ok(Kept::Known(path));
        }
        let name = name.map_or_else(|| default_name(entry.expect()), str::to_owned);
        if !is_name(&name) {
            let next = "use letters, digits, dots, dashes and underscores";
            return Err(Error::refused(Path::new(&name), "no entry can be called so", next));
        }
        let text = entry.print(spec);
        for number in 1..=MAX_NUMBER {
            let file = match number {
                1 => format!("{name}.{EXTENSION}"),
                _ => format!("{name}-{number}.{EXTENSION}"),
            };
            let path = self.directory.join(file);
            if write::create(&path, text.as_bytes())? {
                return Ok(Kept::New(path));
            }
            // Another process may have been faster, with the same or with something else.
            if self.read(spec, &path).is_ok_and(|there| same(&there, entry)) {
                return Ok(Kept::Known(path));
            }
        }
        let why = format!("{MAX_NUMBER} files are called `{name}` with a number");
        Err(Error::refused(&self.directory, why, "look at what they are, and move some away"))
    }

    /// Puts `entry` in place of the one in `path` that promises the same, if that is larger or was not
    /// reduced. Where there is no such entry any more, it is promoted.
    ///
    /// # Errors
    /// If the store cannot be read or written. Then it is as it was.
    pub fn improve(&self, spec: &Spec, entry: &Entry, path: &Path) -> Result<Kept> {
        match self.read(spec, path) {
            Ok(there) if there.expect() == entry.expect() => {
                let smaller = entry.size().cmp(&there.size());
                if smaller.is_lt() || smaller.is_eq() && !there.is_reduced() {
                    write::replace(path, entry.print(spec).as_bytes())?;
                }
                Ok(Kept::Known(path.to_path_buf()))
            }
            _ => self.promote(spec, entry, name_of(path).and_then(name_of_file)),
        }
    }

    /// Writes what is canonical in place of what is not. Returns whether there was a difference.
    ///
    /// # Errors
    /// If the file cannot be read or written, or is no case.
    pub fn format(&self, spec: &Spec, path: &Path) -> Result<bool> {
        let bytes = self.bytes(path)?;
        let text = Entry::parse(spec, path, &bytes)?.print(spec);
        let differs = text.as_bytes() != bytes;
        if differs {
            write::replace(path, text.as_bytes())?;
        }
        Ok(differs)
    }

    fn make(&self) -> Result<()> {
        fs::create_dir_all(&self.directory).map_err(Error::io(&self.directory, "make the corpus"))
    }

    /// Paths and kinds of what is in the directory, sorted.
    fn listing(&self) -> Result<Vec<(PathBuf, fs::FileType)>> {
        let reading = || Error::io(&self.directory, "read the corpus");
        let files = match fs::read_dir(&self.directory) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.map_err(reading())?,
        };
        let mut listing = Vec::new();
        for file in files {
            let file = file.map_err(reading())?;
            listing.push((file.path(), file.file_type().map_err(reading())?));
            if listing.len() > MAX_FILES {
                return Err(too_many(&self.directory));
            }
        }
        listing.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(listing)
    }
}

/// Whether something is called like an entry.
fn is_entry(path: &Path) -> bool {
    path.extension() == Some(EXTENSION.as_ref())
}

/// The last part of a path, if it is UTF-8.
fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// Whether two entries are one: they promise the same finding, or are the same case.
fn same(there: &Entry, entry: &Entry) -> bool {
    match entry.expect() {
        Expect::Finding(_) => there.expect() == entry.expect(),
        Expect::Pass => there.case() == entry.case(),
    }
}

fn too_many(directory: &Path) -> Error {
    let why = format!("more than {MAX_FILES} files");
    Error::refused(directory, why, "name a directory that holds only entries")
}
