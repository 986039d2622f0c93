//! Checks of a whole store, entry by entry.
//!
//! What it is not: a repair. [`Store::format`] makes entries canonical; the rest is for people.

use super::entry::Entry;
use super::error::{Error, Result, shown};
use super::replay::{Replayed, replay};
use super::store::Store;
use crate::examine::Examiner;
use crate::exec::Executor;
use crate::program::Expect;
use crate::subject::Subject;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is to be said about one file of a store.
#[derive(Debug)]
pub struct Checked {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, in words, a line each; nothing if all is well.
    pub problems: Vec<String>,
    /// Why it could not be checked: it cannot be read, is no entry, or is too large to verify.
    pub refused: Option<Error>,
    /// The replay, if it is an entry.
    pub replayed: Option<Replayed>,
}

/// Checks every file of a store: that it is an entry in canonical form, that no other promises the
/// same finding, and that it keeps its promise in both directions.
///
/// # Errors
/// If the directory cannot be read. A file that cannot be read is said to be so, and is not the last.
pub fn check<S: Subject>(
    store: &Store,
    executor: &mut Executor<S>,
    examiner: &mut Examiner,
) -> Result<Vec<Checked>> {
    let mut promised: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut checked = Vec::new();
    for path in store.files()? {
        let (mut problems, mut refused) = (Vec::new(), None);
        let replayed = match canonical::<S>(store, &path, &mut problems) {
            Err(error) => {
                refused = Some(error);
                None
            }
            Ok(entry) => {
                if let Expect::Finding(promise) = entry.expect() {
                    match promised.get(promise) {
                        Some(other) => problems.push(format!(
                            "promises `{promise}`, as {} does: keep the better one",
                            shown(other)
                        )),
                        None => drop(promised.insert(promise.clone(), path.clone())),
                    }
                }
                let replayed = replay(executor, examiner, &entry);
                if replayed.is_too_large() {
                    refused = Some(too_large(&path, replayed.explain(S::spec(), &entry)));
                } else if !replayed.is_kept() {
                    problems.push(replayed.explain(S::spec(), &entry));
                }
                Some(replayed)
            }
        };
        checked.push(Checked { path, problems, refused, replayed });
    }
    Ok(checked)
}

/// What is said of an entry that is too large to verify.
#[must_use]
pub fn too_large(path: &Path, why: String) -> Error {
    Error::refused(path, why, "reduce it: `pagerace minimize FILE -o FILE`")
}

/// Reads a file; not being canonical is a problem of it.
fn canonical<S: Subject>(store: &Store, path: &Path, problems: &mut Vec<String>) -> Result<Entry> {
    let bytes = store.bytes(path)?;
    let entry = Entry::parse(S::spec(), path, &bytes)?;
    if entry.print(S::spec()).as_bytes() != bytes {
        problems.push("is not in canonical form: `pagerace corpus fmt` writes it".to_owned());
    }
    Ok(entry)
}
