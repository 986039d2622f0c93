//! `minimize`: a smaller case that shows the same finding.
//!
//! What it is not: the reduction ([`crate::minimize`]).

use super::judged::Bench;
use super::keep::expectation;
use super::output::{Error, Output, note, refused};
use super::table::counted;
use super::{Verdict, args, input};
use crate::corpus::write;
use crate::examine::SameFinding;
use crate::minimize::{Budget, reduce};
use crate::program::Case;
use crate::subject::Subject;
use std::path::{Path, absolute};

/// Reduces one case.
pub fn run<S: Subject>(args: &args::Minimize, out: &Output) -> Result<Verdict, Error> {
    let spec = S::spec();
    let mut document = input::case::<S>(&args.file, &args.source)?;
    let mut bench = Bench::<S>::new();
    let Some((finding, kind)) = bench.judge(&document.case) else {
        let next =
            "look at its run with `show`; bytes may need their `--profile` or `--own-history`";
        return Err(refused(
            &args.file,
            "the case shows nothing, so there is nothing to keep",
            next,
        ));
    };
    let Bench { executor, examiner } = &mut bench;
    let mut same = SameFinding::new(examiner, &finding, kind);
    let reduced = executor
        .session(|session| reduce(session, &document.case, &mut same, Budget::default()))
        .ok_or_else(|| {
            let why = format!("`{}` shows itself in some runs only", finding.signature);
            refused(&args.file, why, "`replay --times 100` says how often")
        })?;
    note(&format!(
        "{} ({kind}): {} -> {} in {} runs",
        finding.signature,
        size(&document.case),
        size(&reduced.case),
        reduced.executions
    ));
    document.case = reduced.case;
    document.case.expect = Some(expectation(&finding.signature, kind));
    let text = document.print(spec);
    match &args.output {
        Some(path) => write_to(path, &text)?,
        None => out.print(&text)?,
    }
    Ok(Verdict::Clean)
}

fn size(case: &Case) -> String {
    let cpus = counted(case.active_cpus(), "CPU", "CPUs");
    let ops = counted(case.ops.len(), "operation", "operations");
    let switches = counted(case.switches(), "switch", "switches");
    format!("{cpus}, {ops}, {switches}")
}

/// Writes a file whole or not at all. What is there and is no file is left alone.
fn write_to(path: &Path, text: &str) -> Result<(), Error> {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return Err(refused(&path, "this is not a plain file", "name a file to write"));
    }
    write::replace(&path, text.as_bytes())
}
