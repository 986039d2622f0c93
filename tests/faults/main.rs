//! Planted faults: each oracle is shown what it is for, by the ordinary campaign from bytes.
//!
//! | file | what it shows |
//! |---|---|
//! | [`found`] | each fault is found as what it is and where it is; its reduced case passes without it |
//! | [`oracles`] | with its oracle switched off a fault survives |
//! | [`progress`] | waits that never end, a wait that does, and runs that are cut |
//! | [`toy`] | what `mm` cannot be made to do: nondeterminism, an inversion that takes two cases |
//! | [`witness`] | whether a run bears out what a finding names |
//!
//! What it is not: history. No fault here ever was in Linux in this form.

mod found;
mod oracles;
mod progress;
mod toy;
mod witness;

use pagerace::campaign::{self, Config, Discovery, Progress, Sink, SinkError, Summary};
use pagerace::oracle::Class;
use pagerace::program::Case;
use pagerace::program::generate::Fixed;
use pagerace::subject::Subject;
use pagerace::subject::mm::{MmSubject, SPEC};
use std::sync::Mutex;
use std::time::Instant;

/// What all campaigns here begin with.
const SEED: u64 = 1;

/// One campaign.
struct Hunt {
    history: Vec<u8>,
    fixed: Fixed,
    executions: u64,
    /// Classes whose oracles are switched off.
    without: Vec<Class>,
    /// Stop at the first finding of this class; at the first of any, if none is named.
    until: Option<Class>,
    reduce: bool,
}

impl Hunt {
    /// On `current`, with this fault planted.
    fn with_fault(fault: &str, executions: u64) -> Self {
        Self {
            history: planted(fault),
            fixed: Fixed { cpus: None, fields: vec![None; SPEC.fields.len()] },
            executions,
            without: Vec::new(),
            until: None,
            reduce: false,
        }
    }

    /// With this field, or number of `cpus`, in every case.
    fn field(mut self, name: &str, value: u32) -> Self {
        if name == "cpus" {
            self.fixed.cpus = Some(value as u8);
            return self;
        }
        let at = SPEC.fields.iter().position(|field| field.name == name).expect("a field");
        self.fixed.fields[at] = Some(value);
        self
    }

    fn run<S: Subject>(self) -> (Summary, Vec<Discovery>) {
        let config = Config {
            history: self.history,
            seed: SEED,
            jobs: 1,
            executions: Some(self.executions),
            time: None,
            keep_going: true,
            reduce: self.reduce,
            without: self.without,
            fixed: self.fixed,
            started: Instant::now(),
        };
        let progress = Progress::default();
        let notes = Notes { until: self.until, progress: &progress, found: Mutex::default() };
        let summary = campaign::run::<S>(&config, &progress, &notes).expect("notes refuse nothing");
        (summary, notes.found.into_inner().expect("no job panicked"))
    }
}

/// Keeps what is found, and ends the campaign with what is looked for.
struct Notes<'a> {
    until: Option<Class>,
    progress: &'a Progress,
    found: Mutex<Vec<Discovery>>,
}

impl Sink for Notes<'_> {
    fn found(&self, discovery: &Discovery) -> Result<Option<String>, SinkError> {
        self.found.lock().expect("no job panicked").push(discovery.clone());
        if self.until.is_none_or(|class| class == discovery.finding.class) {
            self.progress.stop();
        }
        Ok(None)
    }
}

/// `current` with a fault.
fn planted(fault: &str) -> Vec<u8> {
    let (switch, variant) = SPEC.variant("fault", fault).expect("a fault");
    let mut history = SPEC.profile("current").expect("a profile").history.to_vec();
    history[switch] = variant;
    history
}

/// The same case with another fault.
fn replant(case: &Case, fault: &str) -> Case {
    Case { history: planted(fault), ..case.clone() }
}

/// The most cases that a hunt for a fault gets: `usual`, but for the one that takes two pages, two locks
/// each, and a schedule that crosses them, and the one that takes a late put on a block of several pages.
fn budget(fault: &str, usual: u64) -> u64 {
    match fault {
        "page-locks-crossed" => 1_000_000,
        "tails-uncounted" => 200_000,
        _ => usual,
    }
}

/// What a hunt for a fault finds, reduced: it must be of this class.
fn reduced(fault: &str, class: Class) -> Discovery {
    let cases = budget(fault, 200_000);
    let hunt = Hunt { until: Some(class), reduce: true, ..Hunt::with_fault(fault, cases) };
    let (_, found) = hunt.run::<MmSubject>();
    let last = found.into_iter().rfind(|d| d.finding.class == class && d.reduced.is_some());
    last.unwrap_or_else(|| panic!("{fault} is not found as {class}"))
}
