//! `races --sizes`: how large each entry is, and the least that shows the same.
//!
//! What it is not: a reduction. It says that there is something smaller; `minimize` looks for it.

use super::{Kept, kept, pretty};
use crate::cli::judged::Bench;
use crate::cli::keep::near;
use crate::cli::output::Error;
use crate::cli::table::table;
use crate::cli::{Verdict, args};
use crate::corpus::{Least, Smallest, smallest};
use crate::subject::Subject;
use serde_json::{Value, json};

/// An entry and the least that shows what it promises.
struct Row {
    kept: Kept,
    least: Smallest,
}

/// Asks this of every entry that promises a finding. One that is not the smallest is a mismatch.
pub fn run<S: Subject>(args: &args::Races, verdict: &mut Verdict) -> Result<String, Error> {
    let mut bench = Bench::<S>::new();
    let mut rows = Vec::new();
    for kept in kept::<S>(args.corpus.as_deref(), verdict)? {
        let least = smallest(&mut bench.executor, &mut bench.examiner, &kept.entry);
        rows.extend(least.map(|least| Row { kept, least }));
    }
    if rows.iter().any(|row| !row.mismatches().is_empty()) {
        *verdict = (*verdict).max(Verdict::Findings);
    }
    Ok(if args.json { pretty(&object(S::spec().name, &rows)) } else { text(&rows) })
}

impl Row {
    /// In what the entry is not the least, a line each.
    fn mismatches(&self) -> Vec<String> {
        let (name, case) = (near(&self.kept.path), self.kept.entry.case());
        if self.least.switches == Least::Never {
            return vec![format!("{name} shows something else than it expects")];
        }
        let own = [("operations", case.ops.len()), ("switches", case.switches())];
        let least = [self.least.ops, self.least.switches];
        let larger = own.into_iter().zip(least);
        let larger = larger.filter(|((_, own), least)| matches!(least, Least::Shown(n) if n < own));
        larger.map(|((what, _), _)| format!("{name} could do with fewer {what}")).collect()
    }
}

fn cell(least: Least) -> String {
    match least {
        Least::Shown(number) => number.to_string(),
        Least::AtLeast(number) => format!(">={number}"),
        Least::Never => "-".to_owned(),
    }
}

const NOTE: &str = "\
cpus, ops, switches: of the entry
fewest switches: with which some schedule of its programs shows the signature
fewest ops: of its operations, under some schedule with up to one switch more
";

fn text(rows: &[Row]) -> String {
    let heads = ["entry", "cpus", "ops", "switches", "fewest ops", "fewest switches", "schedules"];
    let mut lines = vec![heads.map(str::to_owned).to_vec()];
    let mut notes = NOTE.to_owned();
    for row in rows {
        let (case, least) = (row.kept.entry.case(), &row.least);
        let name = near(&row.kept.path);
        lines.push(vec![
            name.clone(),
            case.active_cpus().to_string(),
            case.ops.len().to_string(),
            case.switches().to_string(),
            cell(least.ops),
            cell(least.switches),
            least.schedules.to_string(),
        ]);
        notes.extend(row.mismatches().into_iter().map(|line| {
            line + "
"
        }));
        if [least.ops, least.switches].iter().any(|least| matches!(least, Least::AtLeast(_))) {
            notes.push_str(&format!(">=: the search of {name} ended at its limit\n"));
        }
    }
    format!("{}{notes}", table(&lines, &[1, 2, 3, 4, 5, 6]))
}

fn object(subject: &str, rows: &[Row]) -> Value {
    // What is not known exactly is no number; what is known of it then is a key of its own.
    let exact = |least| if let Least::Shown(number) = least { Some(number) } else { None };
    let bound = |least| if let Least::AtLeast(number) = least { Some(number) } else { None };
    let row = |row: &Row| {
        let (case, least) = (row.kept.entry.case(), &row.least);
        json!({
            "entry": near(&row.kept.path),
            "cpus": case.active_cpus(),
            "ops": case.ops.len(),
            "switches": case.switches(),
            "fewest_ops": exact(least.ops),
            "fewest_ops_at_least": bound(least.ops),
            "fewest_switches": exact(least.switches),
            "fewest_switches_at_least": bound(least.switches),
            "schedules": least.schedules,
        })
    };
    json!({ "schema": 1, "subject": subject, "sizes": rows.iter().map(row).collect::<Vec<_>>() })
}
