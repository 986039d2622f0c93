//! How a campaign gets on: a bar on a terminal, a line now and then elsewhere.
//!
//! Both go to standard error, so that standard output holds answers only.
//!
//! What it is not: a part of the campaign. It looks at counters from a thread of its own.

use super::output::{Error, Output, note};
use super::table::grouped;
use crate::campaign::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often a bar is drawn, and how often a line is written.
const DRAWN: Duration = Duration::from_millis(100);
const WRITTEN: Duration = Duration::from_secs(5);
/// A bar has so many steps.
const STEPS: u64 = 1000;

/// What ends a campaign.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// After so many cases.
    pub executions: Option<u64>,
    /// After this time.
    pub time: Option<Duration>,
    /// What is counted.
    pub unit: &'static str,
}

/// A view of a campaign.
pub struct Screen {
    bar: Option<ProgressBar>,
    limits: Limits,
    started: Instant,
}

impl Screen {
    /// A bar if standard error is a terminal.
    pub fn new(limits: Limits) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{elapsed_precise} [{bar:24}] {msg}");
            bar.with_style(style.expect("the template is well formed").progress_chars("=> "))
        });
        Self { bar, limits, started: Instant::now() }
    }

    /// Writes `text` to `out` without disturbing the bar.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn print(&self, out: &Output, text: &str) -> Result<(), Error> {
        match &self.bar {
            Some(bar) => bar.suspend(|| out.print(text)),
            None => out.print(text),
        }
    }

    /// Shows the progress until the other end of `ended` is dropped.
    pub fn watch(&self, progress: &Progress, ended: &Receiver<()>) {
        let tick = if self.bar.is_some() { DRAWN } else { WRITTEN };
        while ended.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
            let elapsed = self.started.elapsed();
            let state = state(progress, self.limits.unit, elapsed);
            match &self.bar {
                Some(bar) => {
                    bar.set_position(self.position(progress, elapsed));
                    bar.set_message(state);
                }
                None => note(&format!("{:>4} s: {state}", elapsed.as_secs())),
            }
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// How far the campaign is, by the limit that is nearer.
    fn position(&self, progress: &Progress, elapsed: Duration) -> u64 {
        let by_time = self.limits.time.map(|all| elapsed.as_secs_f64() / all.as_secs_f64());
        let by_cases = self.limits.executions.map(|all| progress.executions() as f64 / all as f64);
        let part = by_time.unwrap_or(0.0).max(by_cases.unwrap_or(0.0));
        (part.min(1.0) * STEPS as f64) as u64
    }
}

fn state(progress: &Progress, unit: &str, elapsed: Duration) -> String {
    let cases = progress.executions();
    let rate = (cases as f64 / elapsed.as_secs_f64().max(0.001)) as u64;
    let (races, sequential) = progress.findings();
    let found = match (races, sequential) {
        (0, 0) => "nothing found".to_owned(),
        (races, 0) => format!("{} show a race", grouped(races)),
        (races, other) => {
            format!("{} show a race, {} a sequential bug", grouped(races), grouped(other))
        }
    };
    format!("{} {unit}, {}/s, {found}", grouped(cases), grouped(rate))
}
