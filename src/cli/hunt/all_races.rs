//! `hunt --all-races`: is every race on record found from nothing, and how soon?
//!
//! Each racy variant is hunted for alone, everything else being as in the default profile, with the same
//! operations, generator and budget for all. A seed ends at the signature that the record promises, in the
//! kind that it promises; what else was met before is listed.
//!
//! What it is not: something that keeps entries, or a hunt that knows what it is after: the name of the race
//! says when to stop, and nothing else.

use super::{Output, SECONDS, config, note, on_interrupt, races};
use crate::campaign::{self, Config, Discovery, Progress, Sink, SinkError, Summary};
use crate::cli::judged::Bench;
use crate::cli::output::Error;
use crate::cli::table::{counted, grouped, table};
use crate::cli::{Verdict, args};
use crate::examine::SameFinding;
use crate::minimize::{Budget, reduce};
use crate::oracle::{Finding, Kind};
use crate::program::Case;
use crate::subject::{RaceSpec, Subject};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Seeds of a race if nothing is said.
pub const SEEDS: u64 = 3;

/// What one seed came to.
struct Trial {
    seed: u64,
    /// Cases until it was found, or until the end.
    executions: u64,
    seconds: f64,
    /// The size of what was found, reduced: CPUs, operations, switches.
    size: Option<(usize, usize, usize)>,
}

/// What all seeds of a race came to.
struct Hunted {
    race: &'static RaceSpec,
    trials: Vec<Trial>,
    others: BTreeSet<String>,
}

/// Hunts for all of them, one after the other.
pub fn run<S: Subject>(args: &args::Hunt) -> Result<Verdict, Error> {
    let out = if args.json { Output::stderr() } else { Output::stdout() };
    let asked = |race: &&RaceSpec| args.only.is_empty() || args.only.iter().any(|o| o == race.name);
    let asked: Vec<&'static RaceSpec> = S::spec().races.iter().filter(asked).collect();
    // Whose campaign an interrupt has to end.
    let running = Arc::new(Mutex::new(Arc::new(Progress::default())));
    let stopped = Arc::clone(&running);
    let interrupted = on_interrupt(move || {
        stopped.lock().unwrap_or_else(PoisonError::into_inner).stop();
    });
    let mut all = Vec::new();
    for (at, &race) in asked.iter().enumerate() {
        let mut hunted = Hunted { race, trials: Vec::new(), others: BTreeSet::new() };
        for seed in seeds(args) {
            if interrupted.load(Ordering::Relaxed) {
                break;
            }
            let progress = Arc::new(Progress::default());
            *running.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&progress);
            hunted.try_seed::<S>(args, seed, &progress);
        }
        note(&format!("{} of {}: {}", at + 1, asked.len(), hunted.line()));
        all.push(hunted);
        if interrupted.load(Ordering::Relaxed) {
            out.line("interrupted")?;
            break;
        }
    }
    out.print(&(head::<S>(args) + &text(&all)))?;
    if args.json {
        Output::stdout().print(&races::pretty(&object::<S>(args, &all)))?;
    }
    let missed = all.len() < asked.len() || all.iter().any(|hunted| hunted.found().count() == 0);
    Ok(Verdict::found(missed))
}

fn seeds(args: &args::Hunt) -> impl Iterator<Item = u64> {
    let first = args.seed.unwrap_or(1);
    (0..args.seeds.unwrap_or(SEEDS)).map(move |n| first.wrapping_add(n))
}

/// The default profile with this one variant.
fn history<S: Subject>(race: &RaceSpec) -> Vec<u8> {
    let spec = S::spec();
    let mut history = Case::empty(spec).history;
    let (switch, variant) = spec.variant(race.switch, race.variant).expect("races name variants");
    history[switch] = variant;
    history
}

/// Ends a campaign at what the record promises.
struct Stopper<'a> {
    race: &'static RaceSpec,
    progress: &'a Progress,
    promised: Mutex<Option<Discovery>>,
}

fn is_promised(race: &RaceSpec, signature: &str, kind: Kind) -> bool {
    signature == race.signature && kind == races::promised_kind(race)
}

impl Sink for Stopper<'_> {
    fn found(&self, discovery: &Discovery) -> Result<Option<String>, SinkError> {
        if is_promised(self.race, discovery.finding.signature.as_str(), discovery.kind) {
            let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
            promised.get_or_insert_with(|| discovery.clone());
            self.progress.stop();
        }
        Ok(None)
    }
}

impl Hunted {
    fn try_seed<S: Subject>(&mut self, args: &args::Hunt, seed: u64, progress: &Progress) {
        let race = self.race;
        let config = Config {
            history: history::<S>(race),
            seed,
            keep_going: true,
            // Only what is looked for is reduced, and after its time was taken.
            reduce: false,
            ..config::<S>(args, Instant::now())
        };
        let stopper = Stopper { race, progress, promised: Mutex::default() };
        let summary = campaign::run::<S>(&config, progress, &stopper);
        let summary: Summary = summary.expect("the sink refuses nothing");
        let others =
            summary.rows.iter().filter(|row| !is_promised(race, row.signature.as_str(), row.kind));
        self.others.extend(others.map(|row| match row.kind {
            Kind::Race => row.signature.to_string(),
            Kind::Sequential => format!("{} ({})", row.signature, row.kind),
        }));
        let promised = stopper.promised.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.trials.push(Trial {
            seed,
            executions: summary.executions,
            seconds: promised.as_ref().map_or(summary.seconds, |found| found.seconds),
            size: promised.map(|found| size::<S>(&found.case, &found.finding, found.kind)),
        });
    }

    fn found(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.size.is_some())
    }

    /// The median of the seeds that found it, by seconds. One trial, so that its figures belong together.
    fn median(&self) -> Option<&Trial> {
        let mut found: Vec<&Trial> = self.found().collect();
        found.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        // Of an even number the later of the two in the middle: one that was measured.
        found.get(found.len() / 2).copied()
    }

    /// The smallest of what was found.
    fn size(&self) -> Option<(usize, usize, usize)> {
        self.found().filter_map(|trial| trial.size).min()
    }

    fn line(&self) -> String {
        let name = self.race.name;
        let of =
            format!("{} of {}", self.found().count(), counted(self.trials.len(), "seed", "seeds"));
        match self.median() {
            Some(trial) => format!("{name}, found in {of}, after {:.2} s", trial.seconds),
            None => format!("{name}, found in {of}"),
        }
    }
}

/// What is left of a case when it is reduced.
fn size<S: Subject>(case: &Case, finding: &Finding, kind: Kind) -> (usize, usize, usize) {
    let Bench::<S> { mut executor, mut examiner } = Bench::new();
    let mut same = SameFinding::new(&mut examiner, finding, kind);
    let reduced = executor.session(|session| reduce(session, case, &mut same, Budget::default()));
    let case = reduced.map_or_else(|| case.clone(), |reduced| reduced.case);
    (case.active_cpus(), case.ops.len(), case.switches())
}

/// What the figures of the table are.
const LEGEND: &str = "median: of the seeds that found it, the one in the middle by time; those that did not have \
no part in it\nleast: the smallest case that any seed came to\n";

/// What was hunted with: all that is the same for each race.
fn head<S: Subject>(args: &args::Hunt) -> String {
    let seeds: Vec<u64> = seeds(args).collect();
    let of_seeds = match seeds[..] {
        [one] => format!("seed {one}"),
        [first, .., last] => format!("seeds {first} to {last}"),
        [] => String::new(),
    };
    let time = seconds_each(args).map(|time| format!("{} s", time.as_secs_f64()));
    let cases = args.executions.map(|cases| counted(cases as usize, "case", "cases"));
    let budget: Vec<String> = time.into_iter().chain(cases).collect();
    let jobs = counted(usize::from(args.jobs), "job", "jobs");
    let profile = S::spec().profiles[0].name;
    let budget = budget.join(" or ");
    format!("profile {profile} with one switch set, {of_seeds}, {jobs}, at most {budget} each\n\n")
}

fn seconds_each(args: &args::Hunt) -> Option<Duration> {
    args.seconds.or(args.executions.is_none().then_some(SECONDS))
}

fn text(all: &[Hunted]) -> String {
    let heads = [
        "race",
        "switch",
        "found",
        "median: cases",
        "after",
        "least: cpus",
        "ops",
        "switches",
        "other signatures",
    ];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for hunted in all {
        let race = hunted.race;
        let dash = || "-".to_owned();
        let (cases, after) = hunted.median().map_or_else(
            || (dash(), dash()),
            |trial| (grouped(trial.executions), format!("{:.2} s", trial.seconds)),
        );
        let size = hunted.size().map_or_else(
            || [dash(), dash(), dash()],
            |(cpus, ops, switches)| [cpus, ops, switches].map(|n| n.to_string()),
        );
        let others: Vec<&str> = hunted.others.iter().map(String::as_str).collect();
        let mut row = vec![
            race.name.to_owned(),
            format!("{}={}", race.switch, race.variant),
            format!("{} of {}", hunted.found().count(), hunted.trials.len()),
            cases,
            after,
        ];
        row.extend(size);
        row.push(if others.is_empty() { dash() } else { others.join(", ") });
        rows.push(row);
    }
    format!("{}\n{LEGEND}", table(&rows, &[3, 4, 5, 6, 7]))
}

fn object<S: Subject>(args: &args::Hunt, all: &[Hunted]) -> Value {
    let trial = |trial: &Trial| {
        json!({
            "seed": trial.seed,
            "found": trial.size.is_some(),
            "executions": trial.executions,
            "seconds": trial.seconds,
        })
    };
    let race = |hunted: &Hunted| {
        let race = hunted.race;
        let (median, size) = (hunted.median(), hunted.size());
        json!({
            "name": race.name,
            "switch": race.switch,
            "variant": race.variant,
            "signature": race.signature,
            "kind": races::promised_kind(race).to_string(),
            "found": hunted.found().count(),
            "seeds": hunted.trials.len(),
            "executions": median.map(|trial| trial.executions),
            "seconds": median.map(|trial| trial.seconds),
            "cpus": size.map(|size| size.0),
            "ops": size.map(|size| size.1),
            "switches": size.map(|size| size.2),
            "others": hunted.others,
            "trials": hunted.trials.iter().map(trial).collect::<Vec<_>>(),
        })
    };
    json!({
        "schema": 1,
        "subject": S::spec().name,
        "profile": S::spec().profiles[0].name,
        "jobs": args.jobs,
        "seconds_each": seconds_each(args).map(|time| time.as_secs_f64()),
        "executions_each": args.executions,
        "races": all.iter().map(race).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::mm::MmSubject;

    fn hunted(found: &[(u64, f64, bool)]) -> Hunted {
        let trial = |&(executions, seconds, found): &(u64, f64, bool)| Trial {
            seed: 1,
            executions,
            seconds,
            size: found.then_some((2, executions as usize, 3)),
        };
        let race = &MmSubject::spec().races[0];
        Hunted { race, trials: found.iter().map(trial).collect(), others: BTreeSet::new() }
    }

    #[test]
    fn the_median_is_one_of_the_seeds_that_found_it() {
        // The middle one by cases is another one.
        let three = hunted(&[(9, 0.8, true), (1, 5.0, false), (7, 0.7, true), (8, 0.9, true)]);
        let median = three.median().map(|trial| (trial.executions, trial.seconds));
        assert_eq!(median, Some((9, 0.8)));
        assert_eq!(three.size(), Some((2, 7, 3)), "the smallest");
        let none = hunted(&[(9, 0.9, false)]);
        assert!(none.median().is_none() && none.size().is_none());
        let text = text(&[three, none]);
        assert!(text.contains("3 of 4") && text.contains("0 of 1"), "{text}");
    }

    #[test]
    fn each_race_is_hunted_for_with_its_one_switch_set() {
        let spec = MmSubject::spec();
        for race in spec.races {
            let history = history::<MmSubject>(race);
            let differ = history.iter().zip(spec.profiles[0].history).filter(|(a, b)| a != b);
            assert_eq!(differ.count(), 1, "{}", race.name);
        }
    }

    #[test]
    fn the_promise_is_a_signature_and_a_kind() {
        for race in MmSubject::spec().races {
            let (is, is_not) = if race.sequential {
                (Kind::Sequential, Kind::Race)
            } else {
                (Kind::Race, Kind::Sequential)
            };
            assert!(is_promised(race, race.signature, is), "{}", race.name);
            assert!(!is_promised(race, race.signature, is_not), "{}", race.name);
            assert!(!is_promised(race, "leak/block/scan", is), "{}", race.name);
        }
    }
}
