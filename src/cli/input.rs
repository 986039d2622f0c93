//! Cases in: text files, or raw bytes if the user says so.
//!
//! What it is not: trusting. Sizes and kinds of files are checked before anything is read
//! ([`crate::corpus::read`]), and text is parsed strictly.

use super::args::{History, Source};
use super::output::{Error, refused};
use crate::corpus::read::{self, Links};
use crate::corpus::read_case;
use crate::program::input::{HISTORY, WithHistory};
use crate::program::text::Document;
use crate::program::{Case, wire};
use crate::subject::{Spec, Subject};
use std::path::Path;

/// The case in a file, under the history that was asked for, with the file's comments.
///
/// # Errors
/// If it cannot be read or is no case of this subject.
pub fn case<S: Subject>(path: &Path, source: &Source) -> Result<Document, Error> {
    let spec = S::spec();
    let mut document = if source.bytes {
        let bytes = read::file(path, Links::Follow)?;
        Document::new(if source.own_history {
            with_history::<S>(path, &bytes)?
        } else {
            wire::decode(spec, &bytes)
        })
    } else {
        read_case(spec, path)?
    };
    if is_asked_for(&source.history) {
        set_history(spec, &mut document.case, &source.history);
        // What a case expects it expects of its own history.
        document.case.expect = None;
    }
    Ok(document)
}

/// What a fuzz target made of these bytes whose inputs bring their own history.
fn with_history<S: Subject>(path: &Path, bytes: &[u8]) -> Result<Case, Error> {
    if bytes.len() <= HISTORY {
        let why = format!("{} bytes; the first {HISTORY} are the history alone", bytes.len());
        return Err(refused(path, why, "leave `--own-history` out, or name another file"));
    }
    Ok(WithHistory::<S>::from_bytes(bytes).input().case.clone())
}

/// Whether the user asks for a history in place of the case's own.
pub fn is_asked_for(history: &History) -> bool {
    history.profile.is_some() || !history.set.is_empty()
}

/// Sets a case's history. The names are known: the command line refuses others.
pub fn set_history(spec: &'static Spec, case: &mut Case, history: &History) {
    if let Some(profile) = history.profile.as_deref() {
        case.set_profile(spec.profile(profile).expect("the command line knows the profiles"));
    }
    for set in &history.set {
        let pair = set.split_once('=').and_then(|(switch, variant)| spec.variant(switch, variant));
        let (switch, variant) = pair.expect("the command line knows the variants");
        case.history[switch] = variant;
    }
}

/// The history that a label names: a profile, and after commas what differs from it. The inverse of
/// [`history_label`].
///
/// # Errors
/// What there is instead of what is named.
pub fn parse_history(spec: &Spec, label: &str) -> Result<History, String> {
    let mut parts = label.split(',');
    let profile = parts.next().unwrap_or_default();
    if spec.profile(profile).is_none() {
        let known = list(spec.profiles.iter().map(|profile| profile.name));
        return Err(format!("there is no profile `{profile}`; there are {known}"));
    }
    let mut set = Vec::new();
    for part in parts {
        let Some((switch, variant)) = part.split_once('=') else {
            return Err(format!("`{part}` is no SWITCH=VARIANT"));
        };
        let Some(row) = spec.switches.iter().find(|row| row.name == switch) else {
            let known = list(spec.switches.iter().map(|row| row.name));
            return Err(format!("there is no switch `{switch}`; there are {known}"));
        };
        if spec.variant(switch, variant).is_none() {
            let known = list(row.variants.iter().map(|row| row.name));
            return Err(format!("`{switch}` has no variant `{variant}`; it has {known}"));
        }
        set.push(part.to_owned());
    }
    Ok(History { profile: Some(profile.to_owned()), set })
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// A history in words: the profile, and what differs from it.
pub fn history_label(history: &History, default: &str) -> String {
    let mut label = history.profile.as_deref().unwrap_or(default).to_owned();
    for set in &history.set {
        label.push(',');
        label.push_str(set);
    }
    label
}
