//! Every entry of the corpus is a test: it fails on its own history as it promises, and the same
//! programs pass on the default profile under every schedule with up to one switch more.
//!
//! What it is not: a way to change entries. It only reads. A corpus without entries fails, since a
//! test that finds nothing to test shows nothing.

use libtest_mimic::{Arguments, Failed, Trial};
use pagerace::corpus::{Entry, Error, Store, replay, shown, shown_word};
use pagerace::examine::Examiner;
use pagerace::exec::Executor;
use pagerace::program::Expect;
use pagerace::subject::Subject;
use pagerace::subject::mm::MmSubject;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    match trials::<MmSubject>(&root) {
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        Ok(trials) if trials.is_empty() => {
            eprintln!("{} has no entries, so nothing was tested", shown(&root));
            ExitCode::FAILURE
        }
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
    }
}

/// A test for each entry under `root`. What cannot be read is a test that fails.
fn trials<S: Subject>(root: &Path) -> Result<Vec<Trial>, Error> {
    let mut trials = Vec::new();
    for store in Store::under(root)? {
        for path in store.files()? {
            let name = path.strip_prefix(root).unwrap_or(&path).with_extension("");
            let name = shown(&name);
            trials.push(match store.read(S::spec(), &path) {
                Ok(entry) => {
                    let kind = kind(&entry);
                    Trial::test(name, move || keeps_its_promise::<S>(&entry, &path)).with_kind(kind)
                }
                Err(error) => {
                    let message = error.to_string();
                    Trial::test(name, move || Err(message.into())).with_kind("unreadable")
                }
            });
        }
    }
    Ok(trials)
}

/// `race`, `sequential` or `pass`.
fn kind(entry: &Entry) -> String {
    match entry.expect() {
        Expect::Pass => "pass".to_owned(),
        Expect::Finding(promise) => promise.rsplit(' ').next().unwrap_or(promise).to_owned(),
    }
}

fn keeps_its_promise<S: Subject>(entry: &Entry, path: &Path) -> Result<(), Failed> {
    let replayed = replay(&mut Executor::<S>::new(), &mut Examiner::new(S::spec()), entry);
    if replayed.is_kept() {
        return Ok(());
    }
    let broken = replayed.explain(S::spec(), entry);
    Err(format!("{broken}\nlook at it with: pagerace replay {}", shown_word(path)).into())
}
