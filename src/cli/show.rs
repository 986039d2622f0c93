//! `show`: a case as text, and the report of its run.
//!
//! What it is not: a check. Whether the case shows what it expects is for `replay`.

use super::judged::Bench;
use super::keep::near_word;
use super::output::{Error, Output};
use super::{Verdict, args, input};
use crate::subject::Subject;

/// Shows one case. That it shows a finding is an answer, hence no failure.
pub fn run<S: Subject>(args: &args::Show, program: &str, out: &Output) -> Result<Verdict, Error> {
    let spec = S::spec();
    let document = input::case::<S>(&args.file, &args.source)?;
    out.print(&document.print(spec))?;
    let mut bench = Bench::<S>::new();
    let case = &document.case;
    match bench.judge(case) {
        None => out.line("\nIts run shows nothing.")?,
        Some((finding, kind)) => {
            let options = super::replay::options(&args.source);
            let command = format!("{program} replay {}{options}", near_word(&args.file));
            let report = bench.report(case, &finding, kind, Some(&command));
            out.print(&format!("\n{report}"))?;
        }
    }
    Ok(Verdict::Clean)
}
