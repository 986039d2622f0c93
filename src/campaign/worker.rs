//! One job of a campaign.

use super::orders::Orders;
use super::source::Source;
use super::{Config, Discovery, Progress, Row, Sink, SinkError, Summary};
use crate::examine::{Examiner, SameFinding};
use crate::exec::{Executor, Run};
use crate::minimize::{self, Budget};
use crate::oracle::{Class, Finding, Kind, nondeterminism};
use crate::program::Case;
use crate::subject::{Spec, Subject};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Cases run in one execution: enough that opening it costs nothing, few enough that a job notices
/// the end of the campaign.
const CASES_PER_SESSION: u64 = 256;
/// One case in so many is run twice.
const COMPARE_EVERY: u64 = 100;

pub(super) struct Shared<'a> {
    config: &'a Config,
    progress: &'a Progress,
    sink: &'a dyn Sink,
    deadline: Option<Instant>,
    state: Mutex<State>,
}

struct State {
    summary: Summary,
    error: Option<SinkError>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(
        config: &'a Config,
        progress: &'a Progress,
        sink: &'a dyn Sink,
        spec: &Spec,
    ) -> Self {
        let deadline = config.time.map(|time| Instant::now() + time);
        let state = Mutex::new(State { summary: Summary::new(spec), error: None });
        Self { config, progress, sink, deadline, state }
    }

    pub(super) fn finish(self) -> Result<Summary, SinkError> {
        let State { mut summary, error } =
            self.state.into_inner().expect("a job that panics takes the process down");
        summary.seconds = self.config.started.elapsed().as_secs_f64();
        error.map_or(Ok(summary), Err)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("a job that panics takes the process down")
    }

    fn over(&self) -> bool {
        self.progress.stopped() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// The share of the executions that job `job` runs.
    fn quota(&self, job: usize) -> Option<u64> {
        let jobs = self.config.jobs as u64;
        let job = job as u64;
        self.config.executions.map(|all| all / jobs + u64::from(job < all % jobs))
    }

    /// Counts a finding. True if it is the first of its signature and kind.
    fn enter(&self, found: &Discovery) -> bool {
        self.progress.show(found.kind);
        let mut state = self.state();
        let rows = &mut state.summary.rows;
        let known = rows
            .iter_mut()
            .find(|row| row.signature == found.finding.signature && row.kind == found.kind);
        if let Some(row) = known {
            row.count += 1;
            return false;
        }
        rows.push(Row {
            signature: found.finding.signature.clone(),
            class: found.finding.class,
            kind: found.kind,
            count: 1,
            first_execution: found.execution,
            first_seconds: found.seconds,
            cpus: found.case.active_cpus(),
            ops: found.case.ops.len(),
            switches: found.case.switches(),
            entry: None,
        });
        true
    }

    /// Tells the sink, and notes what it and the reduction said.
    fn announce(&self, found: &Discovery) {
        let mut state = self.state();
        match self.sink.found(found) {
            Ok(entry) => {
                let case = found.reduced.as_ref().unwrap_or(&found.case);
                let row = state
                    .summary
                    .rows
                    .iter_mut()
                    .find(|r| r.signature == found.finding.signature && r.kind == found.kind)
                    .expect("the row was entered before");
                row.cpus = case.active_cpus();
                row.ops = case.ops.len();
                row.switches = case.switches();
                row.entry = entry.or(row.entry.take());
            }
            Err(error) => {
                state.error.get_or_insert(error);
                self.progress.stop();
            }
        }
    }
}

/// Why a session of cases ended.
enum Pause {
    /// The job is done.
    Over,
    /// The session is full.
    Full,
    /// The case run last shows this, by itself or together with an earlier case.
    Found(Box<(Finding, Option<Case>)>),
}

struct Worker<'a, 's, S: Subject> {
    shared: &'s Shared<'a>,
    job: usize,
    quota: Option<u64>,
    executor: Executor<S>,
    examiner: Examiner,
    orders: Orders,
    source: Source,
    tally: Summary,
}

pub(super) fn run<S: Subject>(shared: &Shared<'_>, job: usize) {
    let spec = S::spec();
    let mut worker = Worker {
        shared,
        job,
        quota: shared.quota(job),
        executor: Executor::<S>::new(),
        examiner: Examiner::new(spec).without(&shared.config.without),
        orders: Orders::default(),
        source: Source::of_job(spec, shared.config, job),
        tally: Summary::new(spec),
    };
    loop {
        match worker.session() {
            Pause::Over => break,
            Pause::Full => {}
            Pause::Found(found) => worker.found(found.0, found.1),
        }
    }
    shared.state().summary.absorb(&worker.tally);
}

impl<S: Subject> Worker<'_, '_, S> {
    fn session(&mut self) -> Pause {
        let Self { shared, quota, executor, examiner, orders, source, tally, .. } = self;
        let on = |class| !shared.config.without.contains(&class);
        let (ordered, compared) = (on(Class::LockOrder), on(Class::Nondeterminism));
        let before = tally.executions;
        let pause = executor.session(|session| {
            if shared.over() {
                return Pause::Over;
            }
            for _ in 0..CASES_PER_SESSION {
                if quota.is_some_and(|quota| tally.executions >= quota) {
                    return Pause::Over;
                }
                source.next();
                let run = session.run(&source.case);
                count(tally, run);
                source.consider(run);
                let mut finding = examiner.judge(run, &source.case);
                if compared && finding.is_none() && tally.executions.is_multiple_of(COMPARE_EVERY) {
                    tally.compared += 1;
                    let hash = run.hash();
                    finding = nondeterminism::differ(hash, session.run(&source.case).hash());
                }
                if let Some(finding) = finding {
                    return Pause::Found(Box::new((finding, None)));
                }
                if ordered
                    && let Some((finding, with)) =
                        orders.consider(S::spec(), examiner.lock_order(), &source.case)
                {
                    return Pause::Found(Box::new((finding, Some(with))));
                }
            }
            Pause::Full
        });
        let ran = tally.executions - before;
        shared.progress.executions.fetch_add(ran, Ordering::Relaxed);
        pause
    }

    /// Tells race from sequential; reduces and announces the first of a signature.
    fn found(&mut self, finding: Finding, with: Option<Case>) {
        let seconds = self.shared.config.started.elapsed().as_secs_f64();
        self.source.drop_line();
        let (examiner, case) = (&mut self.examiner, &self.source.case);
        let (kind, normal) = self.executor.session(|session| {
            let normal = session.run(case).normal_form(case);
            let kind = match with {
                // Two cases one after the other, and no schedule needed.
                Some(_) => Kind::Sequential,
                None => examiner.kind(session, &normal).0,
            };
            (kind, normal)
        });
        let mut discovery = Discovery {
            finding,
            kind,
            case: normal,
            reduced: None,
            with,
            execution: self.tally.executions,
            seconds,
            job: self.job,
        };
        let counts = discovery.counts();
        if self.shared.enter(&discovery) {
            self.shared.announce(&discovery);
            if self.shared.config.reduce && discovery.with.is_none() {
                let mut same = SameFinding::new(&mut self.examiner, &discovery.finding, kind);
                let reduced = self.executor.session(|session| {
                    minimize::reduce(session, &discovery.case, &mut same, Budget::default())
                });
                if let Some(reduced) = reduced {
                    discovery.reduced = Some(reduced.case);
                    self.shared.announce(&discovery);
                }
            }
        }
        if counts && !self.shared.config.keep_going {
            self.shared.progress.stop();
        }
    }
}

fn count(tally: &mut Summary, run: &Run) {
    tally.executions += 1;
    tally.ops += run.ops as u64;
    tally.skipped_ops += run.skipped as u64;
    for (sum, n) in tally.outcomes.iter_mut().zip(&run.outcomes) {
        *sum += n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::source::FRESH_FIRST;
    use crate::program::generate::Fixed;
    use crate::program::wire;
    use crate::subject::mm::MmSubject;
    use std::collections::BTreeSet;

    /// The bytes of the first cases of a job, each of which is run and considered as a campaign does.
    fn first_cases(history: &[u8], job: usize) -> Vec<Vec<u8>> {
        let spec = MmSubject::spec();
        let config = Config {
            history: history.to_vec(),
            seed: 7,
            jobs: 2,
            executions: None,
            time: None,
            keep_going: true,
            reduce: false,
            without: Vec::new(),
            fixed: Fixed::default(),
            started: Instant::now(),
        };
        let mut source = Source::of_job(spec, &config, job);
        Executor::<MmSubject>::new().session(|session| {
            let next = |_| {
                source.next();
                assert_eq!(source.case.history, history);
                let run = session.run(&source.case);
                source.consider(run);
                wire::encode(spec, &source.case)
            };
            (0..FRESH_FIRST).map(next).collect()
        })
    }

    #[test]
    fn every_profile_is_shown_the_same_cases() {
        let profiles = MmSubject::spec().profiles;
        for job in 0..2 {
            let cases = first_cases(profiles[0].history, job);
            assert!(cases.len() >= 1_000);
            let distinct: BTreeSet<_> = cases.iter().collect();
            assert!(distinct.len() > 900, "the cases are {} only", distinct.len());
            for profile in &profiles[1..] {
                let others = first_cases(profile.history, job);
                assert!(cases == others, "{} is shown other cases", profile.name);
            }
        }
    }
}
