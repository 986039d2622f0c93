//! `replay`: cases again, compared with what they expect.
//!
//! What it is not: a search for other schedules; `corpus check` does that.

use super::judged::Bench;
use super::output::{Error, Output};
use super::table::counted;
use super::{Verdict, args, input};
use crate::corpus::entry::promise;
use crate::corpus::replay::{Broken, as_stored};
use crate::corpus::{Entry, Replayed, shown};
use crate::program::text::Document;
use crate::subject::Subject;
use std::path::Path;

/// The options that read a file as `source` does, to be put into a command.
pub fn options(source: &args::Source) -> String {
    let mut options = String::new();
    if source.bytes {
        options.push_str(" --bytes");
    }
    if source.own_history {
        options.push_str(" --own-history");
    }
    if let Some(profile) = &source.history.profile {
        options.push_str(&format!(" --profile {profile}"));
    }
    for set in &source.history.set {
        options.push_str(&format!(" --set {set}"));
    }
    options
}

/// Replays all files. One that cannot be read is said to be so, and is not the last.
pub fn run<S: Subject>(args: &args::Replay, out: &Output) -> Result<Verdict, Error> {
    let mut bench = Bench::<S>::new();
    let mut verdict = Verdict::Clean;
    for path in &args.files {
        let document = input::case::<S>(path, &args.source);
        if let Some(document) = verdict.of(document) {
            let good = one(&mut bench, path, document, args.times, out)?;
            verdict = verdict.max(Verdict::found(!good));
        }
    }
    Ok(verdict)
}

/// Replays one case and says in a line how that went; false if it is not as expected.
fn one<S: Subject>(
    bench: &mut Bench<S>,
    path: &Path,
    document: Document,
    times: u64,
    out: &Output,
) -> Result<bool, Error> {
    let name = shown(path);
    let case = document.case.clone();
    let (verdict, hash, good) = match Entry::new(document) {
        Some(entry) => {
            let (broken, hash) = kept(bench, &entry);
            if broken.is_empty() {
                ("as expected".to_owned(), hash, true)
            } else {
                let replayed = Replayed { broken, hash, schedules: 0 };
                let why = replayed.explain(S::spec(), &entry).replace('\n', "; ");
                (format!("MISMATCH: {why}"), hash, false)
            }
        }
        None => match bench.judge(&case) {
            Some((finding, kind)) => {
                let found = promise(&finding.signature, kind);
                (format!("shows `{found}`"), bench.run().hash(), false)
            }
            None => ("shows nothing".to_owned(), bench.run().hash(), true),
        },
    };
    let differing = bench
        .executor
        .session(|session| (1..times).filter(|_| session.run(&case).hash() != hash).count());
    if differing > 0 {
        out.line(&format!("{name}: MISMATCH: {differing} of {times} runs took another course"))?;
        return Ok(false);
    }
    let runs = counted(times as usize, "run", "runs");
    out.line(&format!("{name}: {verdict} ({runs}, trace {hash:016x})"))?;
    Ok(good)
}

fn kept<S: Subject>(bench: &mut Bench<S>, entry: &Entry) -> (Vec<Broken>, u64) {
    let Bench { executor, examiner } = bench;
    executor.session(|session| as_stored(session, examiner, entry))
}
