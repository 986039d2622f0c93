//! The recorded cases as inputs of fuzz targets, which libFuzzer runs.
//!
//! What it is not: a build of them; `ci/bench.sh` does that.

use super::ways::CASES;
use super::{median, timed};
use pagerace::program::{Case, wire};
use pagerace::subject::Subject;
use pagerace::subject::mm::MmSubject;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// One fuzz target, and what its rounds took.
pub struct Inside {
    target: PathBuf,
    /// Mutated inputs of a round.
    mutations: usize,
    once: Vec<f64>,
    more: Vec<f64>,
}

impl Inside {
    /// The target that was built into this folder; none if it was not. A round has so many mutated inputs.
    pub fn find(folder: &str, name: &str, mutations: usize) -> Option<Self> {
        let target = PathBuf::from(format!("{folder}/x86_64-unknown-linux-gnu/release/{name}"));
        let (once, more) = (Vec::new(), Vec::new());
        target.is_file().then_some(Self { target, mutations, once, more })
    }

    /// Each of the inputs once, starts not counted.
    pub fn round(&mut self, inputs: &Inputs) {
        let start = timed(|| fuzz(&self.target, inputs.none.path(), 0));
        self.once.push(timed(|| fuzz(&self.target, inputs.all.path(), 0)) - start);
    }

    /// Mutations of the inputs, reading these not counted. After [`Inside::round`].
    pub fn mutated(&mut self, inputs: &Inputs) {
        let all = timed(|| fuzz(&self.target, inputs.all.path(), self.mutations));
        let once = timed(|| fuzz(&self.target, inputs.all.path(), 0));
        self.more.push(all - once);
    }

    /// Executions per second: each input once.
    pub fn rate(&self) -> f64 {
        CASES as f64 / median(&self.once)
    }

    /// Executions per second: mutated inputs.
    pub fn rate_mutated(&self) -> f64 {
        self.mutations as f64 / median(&self.more)
    }
}

/// A folder with the cases as inputs, and one with none.
pub struct Inputs {
    all: TempDir,
    none: TempDir,
}

impl Inputs {
    pub fn new(cases: &[Case]) -> Self {
        let [all, none] =
            [(), ()].map(|()| tempfile::tempdir().expect("there is room for a folder"));
        for (n, case) in cases.iter().enumerate() {
            let bytes = wire::encode(MmSubject::spec(), case);
            let path = all.path().join(n.to_string());
            std::fs::write(path, bytes).expect("there is room for the inputs");
        }
        Self { all, none }
    }
}

/// Lets libFuzzer run all inputs in a folder once, and then so many mutated ones.
fn fuzz(target: &Path, inputs: &Path, mutated: usize) {
    let evolved = tempfile::tempdir().expect("there is room for a folder");
    let runs = if mutated == 0 { 0 } else { CASES + mutated };
    let status = Command::new(target)
        .args([format!("-runs={runs}"), "-seed=1".to_owned()])
        .args([evolved.path(), inputs])
        .env("PAGERACE_CORPUS", "off")
        .env("ASAN_OPTIONS", "detect_leaks=0:detect_odr_violation=0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "the target runs and finds nothing");
}
