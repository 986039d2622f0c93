//! What becomes of a finding before it becomes a crash: an entry in the target's store.
//!
//! It is kept as it was found first, and in its reduced form as soon as there is one, by a rename: an
//! engine that ends the process in between loses nothing. A store that cannot be written does not hide
//! a finding; the report says so.
//!
//! What it is not: the store ([`crate::corpus::store`]), or what reduces.

use super::Found;
use crate::corpus::entry::catalogue_name;
use crate::corpus::{self, Entry, Kept, Provenance, shown};
use crate::subject::Spec;
use core::fmt;
use std::path::{Path, PathBuf};

/// The store of a target, if it has one.
#[derive(Debug)]
pub(super) struct Keeper {
    store: corpus::Found,
    target: &'static str,
    profile: &'static str,
}

/// Where a finding is.
#[derive(Clone, Debug, Default)]
pub(super) enum Place {
    /// Nobody asked for it to be kept.
    #[default]
    NotAsked,
    /// It is kept in this file, which promised nothing of the kind before.
    New(PathBuf),
    /// It was in this file before, as it had been found.
    Unreduced(PathBuf),
    /// It was in this file before.
    Known(PathBuf),
    /// It is not kept, for this reason.
    Nowhere(String),
}

impl Place {
    /// Whether reducing is worth its time. What is known was reduced when it was new.
    pub(super) const fn wants_reduced(&self) -> bool {
        matches!(self, Self::New(_) | Self::Unreduced(_) | Self::Nowhere(_))
    }

    /// The entry.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::New(path) | Self::Unreduced(path) | Self::Known(path) => Some(path),
            Self::NotAsked | Self::Nowhere(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => f.write_str("not kept: the engine runs given inputs"),
            Self::New(path) => write!(f, "kept as {}", shown(path)),
            Self::Unreduced(path) | Self::Known(path) => {
                write!(f, "known: {} shows the same", shown(path))
            }
            Self::Nowhere(why) => write!(f, "not kept: {why}"),
        }
    }
}

impl Keeper {
    pub(super) const fn new(
        store: corpus::Found,
        target: &'static str,
        profile: &'static str,
    ) -> Self {
        Self { store, target, profile }
    }

    /// Keeps what was found, as it was found, unless the store has its signature.
    pub(super) fn keep(&self, spec: &Spec, found: &Found) -> Place {
        let corpus::Found::Store(store) = &self.store else {
            return Place::Nowhere(self.store.to_string());
        };
        let Found { case, finding, kind, .. } = found;
        let name = catalogue_name(spec, case, &finding.signature, *kind);
        match store.promote(spec, &self.entry(found, false), name) {
            Ok(Kept::New(path)) => Place::New(path),
            Ok(Kept::Known(path)) => match store.read(spec, &path) {
                Ok(entry) if !entry.is_reduced() => Place::Unreduced(path),
                _ => Place::Known(path),
            },
            Err(error) => Place::Nowhere(error.to_string()),
        }
    }

    /// Puts the reduced case in place of what was kept; what cannot be replaced stays.
    pub(super) fn improve(&self, spec: &Spec, found: &mut Found) {
        if let corpus::Found::Store(store) = &self.store
            && let Some(path) = found.place.path()
            && let Err(error) = store.improve(spec, &self.entry(found, true), path)
        {
            let path = shown(path);
            found.place = Place::Nowhere(format!("{path} holds it unreduced, but: {error}"));
        }
    }

    fn entry(&self, found: &Found, reduced: bool) -> Entry {
        let provenance = Provenance {
            by: &format!("the fuzz target {}", self.target),
            profile: self.profile,
            seed: None,
            executions: None,
        };
        let Found { case, finding, kind, .. } = found;
        Entry::found(case, &finding.signature, *kind, &provenance, reduced)
    }
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}
