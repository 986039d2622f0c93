//! `corpus`: checks, formats, exports and adds entries.
//!
//! What it is not: what keeps entries well ([`crate::corpus`]).

use super::args::{CorpusAction, Source};
use super::judged::Bench;
use super::keep::{Keeper, expectation, near};
use super::output::{Error, Output, io_error, refused};
use super::table::{counted, grouped};
use super::{Verdict, args, input};
use crate::corpus::entry::catalogue_name;
use crate::corpus::replay::{Replayed, as_stored};
use crate::corpus::{Entry, Kept, Store, check};
use crate::program::text::Document;
use crate::program::{Expect, wire};
use crate::subject::Subject;
use std::fs;
use std::path::Path;

/// Does what is asked for.
pub fn run<S: Subject>(args: &args::Corpus, out: &Output) -> Result<Verdict, Error> {
    let directory = args.corpus.as_deref();
    match &args.action {
        CorpusAction::Check => check_all::<S>(&stores(directory)?, out),
        CorpusAction::Fmt => format_all::<S>(&stores(directory)?, out),
        CorpusAction::Export { directory: to } => export::<S>(&stores(directory)?, to, out),
        CorpusAction::Add { file, name, source } => {
            add::<S>(&Keeper::new(directory)?, file, name.as_deref(), source, out)
        }
    }
}

/// The stores to look at: the named directory's, which has to be there, or the checkout's.
fn stores(directory: Option<&Path>) -> Result<Vec<Store>, Error> {
    match directory {
        Some(directory) => Store::under(directory),
        None => Store::under(Keeper::new(None)?.root()?),
    }
}

fn check_all<S: Subject>(stores: &[Store], out: &Output) -> Result<Verdict, Error> {
    let mut bench = Bench::<S>::new();
    let (mut entries, mut bad, mut schedules) = (0, 0, 0);
    for store in stores {
        for checked in check(store, &mut bench.executor, &mut bench.examiner)? {
            entries += 1;
            bad += u64::from(!checked.problems.is_empty());
            schedules += checked.replayed.as_ref().map_or(0, |replayed| replayed.schedules);
            let path = near(&checked.path);
            if checked.problems.is_empty() {
                out.line(&format!("{path}: holds"))?;
            }
            for problem in &checked.problems {
                out.line(&format!("{path}: {problem}"))?;
            }
        }
    }
    out.line(&format!(
        "{}, {bad} with problems; {} schedules run",
        counted(entries, "entry", "entries"),
        grouped(schedules)
    ))?;
    Ok(Verdict::found(bad > 0))
}

fn format_all<S: Subject>(stores: &[Store], out: &Output) -> Result<Verdict, Error> {
    let (mut entries, mut changed) = (0, 0);
    for store in stores {
        for path in store.files()? {
            entries += 1;
            if store.format(S::spec(), &path)? {
                changed += 1;
                out.line(&near(&path))?;
            }
        }
    }
    out.line(&format!("{}, {changed} rewritten", counted(entries, "entry", "entries")))?;
    Ok(Verdict::Clean)
}

fn export<S: Subject>(stores: &[Store], to: &Path, out: &Output) -> Result<Verdict, Error> {
    fs::create_dir_all(to).map_err(|e| io_error(to, "make the directory", e))?;
    let mut files = 0;
    for store in stores {
        for path in store.files()? {
            let entry = store.read(S::spec(), &path)?;
            let name =
                |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let file = to.join(format!("{}-{}", name(store.directory()), name(&path)));
            fs::write(&file, wire::encode(S::spec(), entry.case()))
                .map_err(|e| io_error(&file, "write it", e))?;
            files += 1;
        }
    }
    out.line(&format!(
        "{} in {}; bytes carry no history",
        counted(files, "file", "files"),
        near(to)
    ))?;
    Ok(Verdict::Clean)
}

fn add<S: Subject>(
    keeper: &Keeper,
    file: &Path,
    name: Option<&str>,
    source: &Source,
    out: &Output,
) -> Result<Verdict, Error> {
    keeper.root()?;
    let mut document = input::case(S::spec(), file, source)?;
    let mut bench = Bench::<S>::new();
    let found = bench.judge(&document.case);
    let promised = document.case.expect.take();
    // As it was executed: decisions named by what they stand before.
    let mut case = bench.run().normal_form(&document.case);
    let shown = found
        .as_ref()
        .map_or(Expect::Pass, |(finding, kind)| expectation(&finding.signature, *kind));
    if let Some(promised) = promised.filter(|promised| *promised != shown) {
        let text = |expect: &Expect| match expect {
            Expect::Pass => "pass".to_owned(),
            Expect::Finding(promise) => promise.clone(),
        };
        let (path, expected, shown) = (file.display(), text(&promised), text(&shown));
        out.line(&format!("{path}: not added: expected `{expected}`, but shows `{shown}`"))?;
        return Ok(Verdict::Findings);
    }
    case.expect = Some(shown);
    let known = found
        .as_ref()
        .and_then(|(finding, kind)| catalogue_name(S::spec(), &case, &finding.signature, *kind));
    let comments = document.comments;
    let entry = Entry::new(Document { comments, case }).expect("it expects what it shows");
    let Bench { executor, examiner } = &mut bench;
    let (broken, hash) = executor.session(|session| as_stored(session, examiner, &entry));
    if !broken.is_empty() {
        let why = Replayed { broken, hash, schedules: 0 }.explain(S::spec(), &entry);
        return Err(refused(file, why, "remove what does not run, or let `minimize` do it"));
    }
    let kept = keeper.keep(S::spec(), &entry, name.or(known))?.expect("there is a store");
    match &kept {
        Kept::New(path) => out.line(&format!("added as {}", near(path)))?,
        Kept::Known(path) => out.line(&format!("already in {}", near(path)))?,
    }
    Ok(Verdict::Clean)
}
