//! The ways to run the recorded cases in this process, each of which runs all of them once.
//!
//! What it is not: a measurement. Whoever calls takes the time, or counts instructions.

use super::bare;
use pagerace::campaign::{self, Discovery, Sink, SinkError};
use pagerace::examine::Examiner;
use pagerace::exec::Executor;
use pagerace::exec::trace::What;
use pagerace::program::Case;
use pagerace::program::generate::{Fixed, Generator};
use pagerace::subject::Subject;
use pagerace::subject::mm::MmSubject;
use pagerace::target::{Plan, Target};
use std::hint::black_box;
use std::time::Instant;

/// How many cases are recorded.
pub const CASES: usize = 2_048;

/// Cases of a campaign: enough that most are edited ones.
const CAMPAIGN: u64 = 8_192;

/// Cases in one warm execution, as in a campaign.
const SESSION: usize = 256;

/// The fuzz target `page_cache`.
static PLAN: Plan =
    Plan { name: "page_cache", profile: Some("current"), without: &[], canary: false };

/// One way to run cases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// A new shuttle `Runner` for each.
    Bare,
    /// One shuttle `Runner` for all, an iteration for each.
    BareLoop,
    /// Reset, operations and drain one after the other, under a hook that does nothing.
    Alone,
    /// Run and traced in warm executions; nothing is judged.
    Run,
    /// Run, traced and judged in warm executions.
    InProcess,
    /// The same with an execution for each.
    OneByOne,
    /// What a fuzz target does with each, without an engine: it returns to the caller after each, with an
    /// execution that is kept.
    Target,
    /// What `hunt` does with cases that it draws and edits itself, what it counts included.
    Campaign,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Bare,
        Self::BareLoop,
        Self::Alone,
        Self::Run,
        Self::InProcess,
        Self::OneByOne,
        Self::Target,
        Self::Campaign,
    ];

    /// Its name, in what is printed and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "a new shuttle Runner per input",
            Self::BareLoop => "a bare shuttle loop",
            Self::Alone => "the operations alone",
            Self::Run => "run and traced only",
            Self::InProcess => "in process",
            Self::OneByOne => "one case per execution",
            Self::Target => "a target without an engine",
            Self::Campaign => "campaign",
        }
    }

    /// How many cases a pass has.
    pub const fn executions(self) -> u64 {
        match self {
            Self::Campaign => CAMPAIGN,
            _ => CASES as u64,
        }
    }
}

/// What is warm from round to round.
pub struct Ours {
    executor: Executor<MmSubject>,
    /// One of a thread is warm at a time.
    target: Target<MmSubject>,
    examiner: Examiner,
}

impl Ours {
    pub fn new() -> Self {
        Self {
            executor: Executor::new(),
            target: Target::new(&PLAN).expect("the environment asks for nothing else"),
            examiner: Examiner::new(MmSubject::spec()),
        }
    }

    /// Runs the cases once in this way. `round` makes random schedules differ.
    pub fn pass(&mut self, way: Way, cases: &[Case], round: u64) {
        let first = round * CASES as u64;
        match way {
            Way::Bare => {
                for (seed, case) in (first..).zip(cases) {
                    bare::run(case, seed);
                }
            }
            Way::BareLoop => bare::run_all(cases, first),
            Way::Alone => alone(cases),
            Way::Run => self.warm(cases, false),
            Way::InProcess => self.warm(cases, true),
            Way::OneByOne => {
                for case in cases {
                    let run = self.executor.run(case);
                    black_box(self.examiner.judge(run, case));
                }
            }
            Way::Target => {
                for case in cases {
                    self.target.run(case);
                }
            }
            Way::Campaign => hunt(round),
        }
    }

    fn warm(&mut self, cases: &[Case], judged: bool) {
        for cases in cases.chunks(SESSION) {
            let examiner = &mut self.examiner;
            self.executor.session(|session| {
                for case in cases {
                    if judged {
                        black_box(examiner.examine(session, case));
                    } else {
                        black_box(session.run(case));
                    }
                }
            });
        }
    }

    /// How many accesses a case has, those of set-up and drain included, how many of them are points, and how
    /// many lines its trace has.
    pub fn size(&mut self, case: &Case) -> [usize; 3] {
        let trace = &self.executor.run(case).trace;
        let mut size = [0, 0, trace.len()];
        for entry in trace {
            if let What::Access { kind, .. } = entry.what {
                size[0] += 1;
                size[1] += usize::from(kind.is_point());
            }
        }
        size
    }

    /// Runs `times` cases in one warm execution, and judges them.
    pub fn one_session(&mut self, cases: &[Case], times: usize) {
        let examiner = &mut self.examiner;
        self.executor.session(|session| {
            for case in cases.iter().cycle().take(times) {
                black_box(examiner.examine(session, case));
            }
        });
    }
}

/// The cases: fresh ones of seed 1, on the fixed version.
pub fn recorded() -> Vec<Case> {
    let spec = MmSubject::spec();
    let mut generator = Generator::new(spec, 1, Fixed::default());
    let mut case = Case::empty(spec);
    (0..CASES)
        .map(|_| {
            generator.fill(&mut case);
            case.clone()
        })
        .collect()
}

/// Set-up, then CPU by CPU, then the drain.
fn alone(cases: &[Case]) {
    let mut memory = <MmSubject as Subject>::new(&cases[0].setup());
    for case in cases {
        Subject::reset(&mut memory, &case.setup());
        memory = bare::in_order(memory, case);
    }
    black_box(memory);
}

/// Keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn found(&self, _: &Discovery) -> Result<Option<String>, SinkError> {
        Ok(None)
    }
}

/// A campaign of one job on the fixed version.
fn hunt(seed: u64) {
    let config = campaign::Config {
        history: MmSubject::spec().profiles.last().expect("the fixed one").history.to_vec(),
        seed,
        jobs: 1,
        executions: Some(CAMPAIGN),
        time: None,
        keep_going: true,
        reduce: false,
        without: Vec::new(),
        fixed: Fixed::default(),
        started: Instant::now(),
    };
    let summary = campaign::run::<MmSubject>(&config, &campaign::Progress::default(), &Nowhere);
    assert_eq!(summary.expect("nothing refuses it").executions, CAMPAIGN);
}
