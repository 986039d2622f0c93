//! `races`: the variants of history, the races on record, one of them in full, which entry fails where, and
//! how large each is.
//!
//! What it is not: the record. That stands in the subject's tables.

mod sizes;

use super::judged::Bench;
use super::keep::{near, stores};
use super::output::{Error, Output};
use super::table::table;
use super::{Verdict, args};
use crate::corpus::Entry;
use crate::corpus::check::too_large;
use crate::corpus::replay::{Cell, row};
use crate::oracle::Kind;
use crate::program::Expect;
use crate::subject::{RaceSpec, Spec, Subject};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Lists variants, or makes a table of the entries.
pub fn run<S: Subject>(args: &args::Races, out: &Output) -> Result<Verdict, Error> {
    let spec = S::spec();
    let mut verdict = Verdict::Clean;
    if let Some(args::RacesAction::Show { name }) = &args.action {
        let race = spec.races.iter().find(|race| race.name == name);
        out.print(&told(race.expect("the command line knows the races")))?;
        return Ok(verdict);
    }
    let text = if args.sizes {
        sizes::run::<S>(args, &mut verdict)?
    } else if args.matrix {
        let rows = matrix::<S>(args.corpus.as_deref(), &mut verdict)?;
        if args.json { pretty(&matrix_json(spec, &rows)) } else { matrix_text(spec, &rows) }
    } else if args.json {
        pretty(&list_json(spec))
    } else {
        list(spec)
    };
    out.print(&text)?;
    Ok(verdict)
}

pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// One line of the list: a variant with its race, or without one on record.
struct Line {
    switch: &'static str,
    variant: &'static str,
    racy: bool,
    race: Option<&'static RaceSpec>,
}

fn lines(spec: &'static Spec) -> Vec<Line> {
    let mut lines = Vec::new();
    for switch in spec.switches {
        for variant in switch.variants {
            let is_it = |r: &&RaceSpec| r.switch == switch.name && r.variant == variant.name;
            let line = |race| Line {
                switch: switch.name,
                variant: variant.name,
                racy: variant.racy,
                race,
            };
            let races: Vec<_> = spec.races.iter().filter(is_it).map(|r| line(Some(r))).collect();
            if races.is_empty() {
                lines.push(line(None));
            }
            lines.extend(races);
        }
    }
    lines
}

fn list(spec: &'static Spec) -> String {
    let heads = ["name", "introduced", "fixed", "versions", "CVE", "switch", "entry"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for Line { switch, variant, racy, race } in lines(spec) {
        let switch = format!("{switch}={variant}");
        let cells = match race {
            Some(r) => [r.name, r.introduced, r.fixed, r.versions, r.cve, &switch, r.entry],
            None => [if racy { "(racy)" } else { "(neutral)" }, "-", "-", "-", "-", &switch, "-"],
        };
        rows.push(cells.map(str::to_owned).to_vec());
    }
    table(&rows, &[])
}

fn list_json(spec: &'static Spec) -> Value {
    // A dash in the record is nothing in JSON.
    let some = |text: &'static str| (text != "-").then_some(text);
    let line = |Line { switch, variant, racy, race }: Line| {
        let of = |field: fn(&RaceSpec) -> &'static str| race.and_then(|race| some(field(race)));
        json!({
            "name": of(|r| r.name),
            "introduced": of(|r| r.introduced),
            "fixed": of(|r| r.fixed),
            "versions": of(|r| r.versions),
            "cve": of(|r| r.cve),
            "switch": switch,
            "variant": variant,
            "racy": racy,
            "entry": of(|r| r.entry),
            "signature": of(|r| r.signature),
        })
    };
    let variants: Vec<Value> = lines(spec).into_iter().map(line).collect();
    json!({ "schema": 1, "subject": spec.name, "variants": variants })
}

/// The kind in which a race is promised to show itself.
pub(super) const fn promised_kind(race: &RaceSpec) -> Kind {
    if race.sequential { Kind::Sequential } else { Kind::Race }
}

/// All that is on record about a race.
fn told(race: &RaceSpec) -> String {
    let also = race.also.join(", ");
    let entry = match race.entry {
        "-" => "-".to_owned(),
        entry => format!("corpus/{entry}"),
    };
    let rows = [
        ("switch", format!("{}={}", race.switch, race.variant)),
        ("introduced", race.introduced.to_owned()),
        ("fixed", race.fixed.to_owned()),
        ("versions", race.versions.to_owned()),
        ("CVE", race.cve.to_owned()),
        ("signature", format!("{} ({})", race.signature, promised_kind(race))),
        ("also", if also.is_empty() { "-".to_owned() } else { also }),
        ("entry", entry),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    format!("{}\n\n{}\n{}", race.name, table(&rows, &[]), race.doc)
}

/// An entry and where it lies.
struct Kept {
    path: PathBuf,
    entry: Entry,
}

/// The entries that can be read; what is wrong with the others is printed.
fn kept<S: Subject>(directory: Option<&Path>, verdict: &mut Verdict) -> Result<Vec<Kept>, Error> {
    let mut all = Vec::new();
    for store in stores(directory)? {
        for path in verdict.of(store.files()).unwrap_or_default() {
            let Some(entry) = verdict.of(store.read(S::spec(), &path)) else { continue };
            all.push(Kept { path, entry });
        }
    }
    Ok(all)
}

/// An entry and what its programs do under each profile.
type Row = (Kept, Vec<Cell>);

fn matrix<S: Subject>(directory: Option<&Path>, verdict: &mut Verdict) -> Result<Vec<Row>, Error> {
    let mut bench = Bench::<S>::new();
    let mut rows = Vec::new();
    for kept in kept::<S>(directory, verdict)? {
        let cells = row(&mut bench.executor, &mut bench.examiner, &kept.entry);
        if cells.contains(&Cell::Unknown) {
            let why = "too large to verify: what it shows is unknown on some profile";
            verdict.cannot(&too_large(&kept.path, why.to_owned()));
        }
        rows.push((kept, cells));
    }
    Ok(rows)
}

fn promised(entry: &Entry) -> &str {
    match entry.expect() {
        Expect::Pass => "pass",
        Expect::Finding(promise) => promise,
    }
}

fn cell(cell: &Cell) -> &str {
    match cell {
        Cell::Fails => "fails",
        Cell::Other(other) => other,
        Cell::Passes => "-",
        Cell::Unknown => "unknown",
    }
}

fn matrix_text(spec: &'static Spec, rows: &[Row]) -> String {
    let profiles = spec.profiles.iter().map(|profile| profile.name);
    let mut lines: Vec<Vec<String>> =
        vec![["entry"].into_iter().chain(profiles).map(str::to_owned).collect()];
    for (kept, cells) in rows {
        let cells = cells.iter().map(|c| cell(c).to_owned());
        lines.push(std::iter::once(near(&kept.path)).chain(cells).collect());
    }
    let note = "fails: some schedule with up to one switch more than the entry's shows what the \
                entry\nexpects; -: none shows anything\n";
    format!("{}{note}", table(&lines, &[]))
}

fn matrix_json(spec: &'static Spec, rows: &[Row]) -> Value {
    let row = |(kept, cells): &Row| {
        let cells = spec.profiles.iter().zip(cells);
        let profiles: serde_json::Map<String, Value> = cells
            .map(|(profile, c)| {
                let text = if *c == Cell::Passes { "passes" } else { cell(c) };
                (profile.name.to_owned(), json!(text))
            })
            .collect();
        let expect = promised(&kept.entry);
        json!({ "entry": near(&kept.path), "expect": expect, "profiles": profiles })
    };
    let rows: Vec<Value> = rows.iter().map(row).collect();
    json!({ "schema": 1, "subject": spec.name, "matrix": rows })
}
