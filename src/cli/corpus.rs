//! `corpus`: checks, formats, exports and adds entries.
//!
//! What it is not: what keeps entries well ([`crate::corpus`]).

use super::args::{CorpusAction, Source};
use super::judged::Bench;
use super::keep::{Keeper, expectation, near, stores};
use super::output::{Error, Output, io_error, refused};
use super::table::{counted, grouped};
use super::{Verdict, args, input};
use crate::corpus::entry::catalogue_name;
use crate::corpus::read::{self, Links};
use crate::corpus::replay::{Replayed, as_stored};
use crate::corpus::{Entry, Kept, Store, check, write};
use crate::program::text::Document;
use crate::program::{Expect, wire};
use crate::subject::Subject;
use std::fs;
use std::path::{Path, absolute};

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

fn check_all<S: Subject>(stores: &[Store], out: &Output) -> Result<Verdict, Error> {
    let mut bench = Bench::<S>::new();
    let mut verdict = Verdict::Clean;
    let (mut entries, mut bad, mut refused, mut schedules) = (0, 0, 0, 0);
    for store in stores {
        let checked = check(store, &mut bench.executor, &mut bench.examiner);
        for checked in verdict.of(checked).unwrap_or_default() {
            entries += 1;
            bad += u64::from(!checked.problems.is_empty());
            schedules += checked.replayed.as_ref().map_or(0, |replayed| replayed.schedules);
            let path = near(&checked.path);
            for problem in &checked.problems {
                out.line(&format!("{path}: {problem}"))?;
            }
            if let Some(error) = &checked.refused {
                refused += 1;
                verdict.cannot(error);
            } else if checked.problems.is_empty() {
                out.line(&format!("{path}: holds"))?;
            }
        }
    }
    out.line(&format!(
        "{}, {bad} with problems, {refused} that cannot be checked; {} schedules run",
        counted(entries, "entry", "entries"),
        grouped(schedules)
    ))?;
    Ok(verdict.max(Verdict::found(bad > 0)))
}

fn format_all<S: Subject>(stores: &[Store], out: &Output) -> Result<Verdict, Error> {
    let mut verdict = Verdict::Clean;
    let (mut entries, mut changed) = (0, 0);
    for store in stores {
        for path in verdict.of(store.files()).unwrap_or_default() {
            let Some(differs) = verdict.of(store.format(S::spec(), &path)) else { continue };
            entries += 1;
            if differs {
                changed += 1;
                out.line(&near(&path))?;
            }
        }
    }
    out.line(&format!("{}, {changed} rewritten", counted(entries, "entry", "entries")))?;
    Ok(verdict)
}

fn export<S: Subject>(stores: &[Store], to: &Path, out: &Output) -> Result<Verdict, Error> {
    fs::create_dir_all(to).map_err(|e| io_error(to, "make the directory", e))?;
    write::sweep(to);
    let mut verdict = Verdict::Clean;
    let mut files = 0;
    for store in stores {
        for path in verdict.of(store.files()).unwrap_or_default() {
            let exported = export_one::<S>(store, &path, to);
            files += usize::from(verdict.of(exported).is_some());
        }
    }
    out.line(&format!(
        "{} in {}; bytes carry no history",
        counted(files, "file", "files"),
        near(to)
    ))?;
    Ok(verdict)
}

/// Writes one entry as bytes. A file of its name that holds something else is left alone.
fn export_one<S: Subject>(store: &Store, path: &Path, to: &Path) -> Result<(), Error> {
    let entry = store.read(S::spec(), path)?;
    let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let directory = absolute(store.directory()).unwrap_or_else(|_| store.directory().to_owned());
    let file = to.join(format!("{}-{}", name(&directory), name(path)));
    let bytes = wire::encode(S::spec(), entry.case());
    if write::create(&file, &bytes)? || read::file(&file, Links::Refuse).is_ok_and(|b| b == bytes) {
        return Ok(());
    }
    let why = format!("the name is taken: {} is not exported", near(path));
    Err(refused(&file, why, "export to an empty directory, or rename the entry"))
}

fn add<S: Subject>(
    keeper: &Keeper,
    file: &Path,
    name: Option<&str>,
    source: &Source,
    out: &Output,
) -> Result<Verdict, Error> {
    keeper.root()?;
    let mut document = input::case::<S>(file, source)?;
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
        let (path, expected, shown) = (near(file), text(&promised), text(&shown));
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
