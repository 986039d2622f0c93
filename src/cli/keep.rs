//! Where findings are kept, and under which name.
//!
//! The store of a campaign is the directory that the user names, or `corpus/hunt` of the checkout. A
//! checkout's other stores count as well: what one of them has is not kept twice.
//!
//! What it is not: the store ([`crate::corpus::store`]).

use super::output::{Error, refused};
use crate::corpus::entry::promise;
use crate::corpus::store::VARIABLE;
use crate::corpus::{Entry, Found, Kept, Store, shown, shown_word};
use crate::oracle::{Kind, Signature};
use crate::program::Expect;
use crate::subject::Spec;
use std::fmt;
use std::path::{Path, PathBuf};

/// The target that hunts stand for.
const TARGET: &str = "hunt";

/// A place for entries.
pub struct Keeper {
    found: Found,
    /// The directory of all stores of the checkout, if it is one's.
    all: Option<PathBuf>,
}

impl Keeper {
    /// The store in `directory`, or else the checkout's.
    ///
    /// # Errors
    /// If there is one that cannot be used.
    pub fn new(directory: Option<&Path>) -> Result<Self, Error> {
        if let Some(directory) = directory {
            return Ok(Self { found: Found::Store(Store::at(directory)?), all: None });
        }
        let found = Store::find(TARGET)?;
        let is_checkout = std::env::var_os(VARIABLE).is_none();
        let all = match &found {
            Found::Store(store) if is_checkout => store.directory().parent().map(Path::to_owned),
            _ => None,
        };
        Ok(Self { found, all })
    }

    /// The directory in which all entries lie.
    ///
    /// # Errors
    /// If there is none.
    pub fn root(&self) -> Result<&Path, Error> {
        match (&self.all, &self.found) {
            (Some(all), _) => Ok(all),
            (None, Found::Store(store)) => Ok(store.directory()),
            (None, Found::Off | Found::NoCheckout(_)) => {
                let next = "go to a checkout of pagerace, or name a directory with `--corpus`";
                Err(refused(Path::new("."), self.to_string(), next))
            }
        }
    }

    /// Keeps an entry unless what it promises is kept already; None if nothing is kept here.
    ///
    /// # Errors
    /// If a store cannot be read or written.
    pub fn keep(
        &self,
        spec: &'static Spec,
        entry: &Entry,
        name: Option<&str>,
    ) -> Result<Option<Kept>, Error> {
        let Found::Store(store) = &self.found else { return Ok(None) };
        if let (Some(all), Expect::Finding(_)) = (&self.all, entry.expect()) {
            for other in Store::under(all)? {
                // One that cannot be read has no say in what is kept.
                if let Ok(Some(path)) = other.holder(spec, entry.expect()) {
                    return Ok(Some(Kept::Known(path)));
                }
            }
        }
        store.promote(spec, entry, name).map(Some)
    }

    /// Puts a smaller case in place of an entry of this store, and says where it is now.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub fn improve(&self, spec: &'static Spec, entry: &Entry, kept: Kept) -> Result<Kept, Error> {
        match &self.found {
            Found::Store(store) if kept.path().parent() == Some(store.directory()) => {
                store.improve(spec, entry, kept.path())
            }
            // Another store's: its own campaigns improve it.
            _ => Ok(kept),
        }
    }
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Found::Store(store) => write!(f, "{}", near(store.directory())),
            other => write!(f, "{other}"),
        }
    }
}

/// The stores to look at: the named directory's, which has to be there, or the checkout's.
pub fn stores(directory: Option<&Path>) -> Result<Vec<Store>, Error> {
    match directory {
        Some(directory) => Store::under(directory),
        None => Store::under(Keeper::new(None)?.root()?),
    }
}

/// What a case that shows a finding expects from then on.
pub fn expectation(signature: &Signature, kind: Kind) -> Expect {
    Expect::Finding(promise(signature, kind))
}

/// A path as it is printed: from the current directory if it lies below that.
pub fn near(path: &Path) -> String {
    shown(below_here(path).as_deref().unwrap_or(path))
}

/// [`near`] as a word of a command that is shown.
pub fn near_word(path: &Path) -> String {
    shown_word(below_here(path).as_deref().unwrap_or(path))
}

fn below_here(path: &Path) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    path.strip_prefix(here).ok().map(Path::to_owned)
}
