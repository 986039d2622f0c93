//! All schedules of a case with at most so many switches.
//!
//! Depth first: a run announces its points; each point after the last decision, with each other CPU
//! that could have run there, gives one more schedule. Every schedule is run once.
//!
//! What it is not: partial order reduction. Schedules that differ only in the order of independent
//! accesses are all run; counting them is how the hook is checked (C(a+b, a) for two programs without
//! conflicts).

use super::{Options, Run, Session};
use crate::program::{Action, Case, Decision, PolicyGene};
use crate::subject::Subject;
use pagerace_core::sync::MAX_CPUS;
use std::ops::ControlFlow;

/// What an enumeration did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Enumerated {
    /// How many schedules were run.
    pub schedules: u64,
    /// Whether all were run: neither the limit nor the visitor ended it.
    pub complete: bool,
}

struct Search<'s, 'e, S: Subject, V> {
    session: &'s mut Session<'e, S>,
    case: Case,
    switches: usize,
    limit: u64,
    done: u64,
    visit: V,
}

/// Runs `case` under every schedule with at most `switches` switches, keeping its `fail` decisions,
/// and shows each run to `visit` with its schedule. Ends when `visit` breaks, or after `limit` runs.
pub fn schedules<S: Subject>(
    session: &mut Session<'_, S>,
    case: &Case,
    switches: usize,
    limit: u64,
    visit: impl FnMut(&Case, &Run) -> ControlFlow<()>,
) -> Enumerated {
    let mut start = case.clone();
    start.policy = PolicyGene::Stay;
    start.decisions.retain(|d| d.action == Action::Fail);
    let mut search = Search { session, case: start, switches, limit, done: 0, visit };
    let mut complete = true;
    for first in 0..case.cpus {
        if case.program(crate::program::Place::Cpu(first)).next().is_none() && first > 0 {
            continue;
        }
        search.case.first = first;
        complete &= search.descend(0, 0).is_continue();
        if !complete {
            break;
        }
    }
    Enumerated { schedules: search.done, complete }
}

impl<S: Subject, V: FnMut(&Case, &Run) -> ControlFlow<()>> Search<'_, '_, S, V> {
    /// Runs the current case and all that extend it at points from `from` on.
    fn descend(&mut self, from: usize, depth: usize) -> ControlFlow<()> {
        if self.done == self.limit {
            return ControlFlow::Break(());
        }
        self.done += 1;
        let options = Options { announce: true, ..Options::default() };
        let run = self.session.run_with(&self.case, options);
        (self.visit)(&self.case, run)?;
        if depth == self.switches {
            return ControlFlow::Continue(());
        }
        let points: Vec<_> = run.announced.iter().copied().enumerate().skip(from).collect();
        for (at, point) in points.into_iter().filter(|(_, point)| !point.idle) {
            for cpu in (0..MAX_CPUS as u8).filter(|cpu| *cpu != point.cpu) {
                if point.enabled >> cpu & 1 == 0 {
                    continue;
                }
                let decision = Decision { at: point.at, action: Action::Run(cpu) };
                // A `fail` decision holds the key; the two exclude each other.
                let Err(place) = self.case.decisions.binary_search_by_key(&point.at, |d| d.at)
                else {
                    continue;
                };
                self.case.decisions.insert(place, decision);
                let flow = self.descend(at + 1, depth + 1);
                self.case.decisions.remove(place);
                flow?;
            }
        }
        ControlFlow::Continue(())
    }
}
