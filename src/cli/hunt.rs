//! `hunt`: the campaign, from an empty corpus.
//!
//! What it is not: the campaign itself ([`crate::campaign`]); here are its options, what is shown of
//! it, and what becomes of its findings.

mod all_races;

use super::judged::Bench;
use super::keep::{Keeper, near, near_word};
use super::output::{Error, Output, note};
use super::progress::{Limits, Screen};
use super::summary::{self, Asked};
use super::table::{counted, grouped};
use super::{Verdict, args, input, races};
use crate::campaign::{self, Config, Discovery, Progress, Sink, SinkError, Summary};
use crate::corpus::entry::catalogue_name;
use crate::corpus::{Entry, Kept, Provenance};
use crate::program::Case;
use crate::program::generate::Fixed;
use crate::program::text::Document;
use crate::subject::Subject;
use anstyle::{AnsiColor, Style};
use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// How long a hunt takes if nothing is said.
const SECONDS: Duration = Duration::from_secs(20);
/// What a finding looks like on a terminal.
pub(super) const FOUND: Style = AnsiColor::Yellow.on_default().bold();

/// Runs a campaign.
pub fn run<S: Subject>(
    args: &args::Hunt,
    program: &str,
    started: Instant,
) -> Result<Verdict, Error> {
    if args.all_races {
        return all_races::run::<S>(args);
    }
    let label = input::history_label(&args.history, args::hunted_profile(S::spec()));
    let config = config::<S>(args, started);
    let out = if args.json { Output::stderr() } else { Output::stdout() };
    let screen =
        Screen::new(Limits { executions: config.executions, time: config.time, unit: "cases" });
    let keeper = Keeper::new(args.out.as_deref())?;
    out.print(&header(&config, &label, args.seed.is_none(), &keeper))?;
    let progress = Arc::new(Progress::default());
    let interrupted = stop_on_interrupt(&progress);
    let hunter = Hunter::<S> {
        out: &out,
        screen: &screen,
        keeper: &keeper,
        progress: &progress,
        config: &config,
        label: &label,
        program,
        new: Mutex::default(),
        subject: std::marker::PhantomData,
    };
    let summary = watched::<S>(&config, &progress, &hunter, &screen)?;
    if interrupted.load(Ordering::Relaxed) {
        out.line("interrupted")?;
    }
    out.print(&format!("\n{}", summary::text(S::spec(), &config.history, &summary)))?;
    if args.json {
        let asked = Asked {
            profile: &label,
            history: &config.history,
            seed: config.seed,
            jobs: config.jobs,
        };
        let object = summary::json(S::spec(), &asked, &summary);
        Output::stdout().print(&races::pretty(&object))?;
    }
    Ok(Verdict::found(!summary.rows.is_empty()))
}

fn config<S: Subject>(args: &args::Hunt, started: Instant) -> Config {
    let mut case = Case::empty(S::spec());
    input::set_history(S::spec(), &mut case, &args.history);
    let neither = args.seconds.is_none() && args.executions.is_none();
    Config {
        history: case.history,
        seed: args.seed.unwrap_or_else(draw_seed),
        jobs: usize::from(args.jobs),
        executions: args.executions,
        time: args.seconds.or(neither.then_some(SECONDS)),
        keep_going: args.keep_going,
        reduce: true,
        without: Vec::new(),
        fixed: Fixed { cpus: args.cpus, fields: args.fields.clone() },
        started,
    }
}

/// A seed that nobody chose, short enough to be typed again.
pub(super) fn draw_seed() -> u64 {
    // std keys its hash maps with random numbers of the system, and offers them nowhere else.
    let state = std::hash::RandomState::new();
    state.build_hasher().finish() & 0xffff_ffff
}

fn header(config: &Config, label: &str, drawn: bool, keeper: &Keeper) -> String {
    let jobs = counted(config.jobs, "job", "jobs");
    let mut limits = Vec::new();
    if let Some(time) = config.time {
        limits.push(format!("{} s", time.as_secs_f64()));
    }
    if let Some(executions) = config.executions {
        limits.push(format!("{} cases", grouped(executions)));
    }
    let seed = config.seed;
    let again =
        if drawn { format!(" (drawn; --seed {seed} runs the same)") } else { String::new() };
    format!(
        "profile {label}, {jobs}, at most {}\nseed {seed}{again}\nstore {keeper}\n\n",
        limits.join(" and ")
    )
}

/// The first interrupt ends the campaign in good order, the second the process.
pub(super) fn stop_on_interrupt(progress: &Arc<Progress>) -> Arc<AtomicBool> {
    let progress = Arc::clone(progress);
    on_interrupt(move || progress.stop())
}

/// The first interrupt calls `stop`, the second ends the process. Says whether there was one.
fn on_interrupt(stop: impl Fn() + Send + 'static) -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&interrupted);
    let handler = move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(super::COULD_NOT_RUN.into());
        }
        stop();
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        note(&format!("an interrupt will end this without a summary: {error}"));
    }
    interrupted
}

/// Runs the campaign while another thread shows its progress.
fn watched<S: Subject>(
    config: &Config,
    progress: &Progress,
    sink: &dyn Sink,
    screen: &Screen,
) -> Result<Summary, Error> {
    std::thread::scope(|scope| {
        let (running, ended) = mpsc::channel();
        scope.spawn(move || screen.watch(progress, &ended));
        let summary = campaign::run::<S>(config, progress, sink);
        drop(running);
        summary.map_err(|error| *error.downcast::<Error>().expect("the sink gives no other errors"))
    })
}

/// Shows and keeps what is found.
struct Hunter<'a, S> {
    out: &'a Output,
    screen: &'a Screen,
    keeper: &'a Keeper,
    progress: &'a Progress,
    config: &'a Config,
    label: &'a str,
    program: &'a str,
    /// The entries that were not there before.
    new: Mutex<BTreeSet<PathBuf>>,
    subject: std::marker::PhantomData<fn() -> S>,
}

impl<S: Subject> Sink for Hunter<'_, S> {
    fn found(&self, discovery: &Discovery) -> Result<Option<String>, SinkError> {
        if let Some(with) = &discovery.with {
            self.show_both(discovery, with)?;
            return Ok(None);
        }
        let kept = match self.keep(discovery) {
            Ok(kept) => kept,
            Err(error) => {
                // The store is of no use: what was found is said at least.
                self.show_lost(discovery)?;
                return Err(error.into());
            }
        };
        match &discovery.reduced {
            None => self.announce(discovery)?,
            Some(case) => self.show(discovery, case, kept.as_ref())?,
        }
        if self.out.is_closed() {
            // Nobody looks any more.
            self.progress.stop();
        }
        Ok(kept.map(|kept| near(kept.path())))
    }
}

impl<S: Subject> Hunter<'_, S> {
    /// Keeps the case: first as it was found, so that a kill loses nothing, then reduced.
    fn keep(&self, discovery: &Discovery) -> Result<Option<Kept>, Error> {
        let spec = S::spec();
        let Discovery { finding, kind, .. } = discovery;
        let provenance = Provenance {
            by: &format!("{} hunt", program_name(self.program)),
            profile: self.label,
            seed: Some(self.config.seed),
            executions: Some(discovery.execution),
        };
        let case = discovery.reduced.as_ref().unwrap_or(&discovery.case);
        let reduced = discovery.reduced.is_some();
        let entry = Entry::found(case, &finding.signature, *kind, &provenance, reduced);
        let name = catalogue_name(spec, case, &finding.signature, *kind);
        let mut kept = self.keeper.keep(spec, &entry, name)?;
        if reduced && let Some(there) = kept.take() {
            kept = Some(self.keeper.improve(spec, &entry, there)?);
        }
        if let Some(Kept::New(path)) = &kept {
            self.new_entries().insert(path.clone());
        }
        Ok(kept)
    }

    fn new_entries(&self) -> std::sync::MutexGuard<'_, BTreeSet<PathBuf>> {
        self.new.lock().expect("nothing panics while it holds this")
    }

    fn announce(&self, discovery: &Discovery) -> Result<(), Error> {
        let Discovery { finding, kind, execution, seconds, .. } = discovery;
        let text = format!(
            "{FOUND}found{FOUND:#} {} ({kind}) in case {}, after {seconds:.2} s; reducing it\n\n",
            finding.signature,
            grouped(*execution),
        );
        self.screen.print(self.out, &text)
    }

    /// The case itself, where no file holds it.
    fn show_lost(&self, discovery: &Discovery) -> Result<(), Error> {
        let Discovery { finding, kind, case, reduced, execution, seconds, .. } = discovery;
        let case = reduced.as_ref().unwrap_or(case);
        let text = format!(
            "{FOUND}found{FOUND:#} {} ({kind}) in case {}, after {seconds:.2} s; this is its case, \
             which the store does not take:\n\n{}\n",
            finding.signature,
            grouped(*execution),
            Document::new(case.clone()).print(S::spec()),
        );
        self.screen.print(self.out, &text)
    }

    /// Names both cases of a finding that no single case shows.
    fn show_both(&self, discovery: &Discovery, with: &Case) -> Result<(), Error> {
        let Discovery { finding, kind, case, execution, seconds, .. } = discovery;
        let print = |case: &Case| Document::new(case.clone()).print(S::spec());
        let text = format!(
            "{FOUND}found{FOUND:#} {} ({kind}) in case {}, after {seconds:.2} s, together with an \
             earlier one; not kept: neither shows it alone\n\n{}\n{}\n",
            finding.signature,
            grouped(*execution),
            print(with),
            print(case),
        );
        self.screen.print(self.out, &text)
    }

    fn show(&self, discovery: &Discovery, case: &Case, kept: Option<&Kept>) -> Result<(), Error> {
        let command =
            kept.map(|kept| format!("{} replay {}", self.program, near_word(kept.path())));
        let mut bench = Bench::<S>::new();
        let Some((finding, kind)) = bench.judge(case) else {
            // It was just seen: nobody else may have an opinion about that.
            let why = format!("{} cannot be seen again\n", discovery.finding.signature);
            return self.screen.print(self.out, &why);
        };
        let mut text = bench.report(case, &finding, kind, command.as_deref());
        text.push_str(&match kept {
            Some(kept) if self.new_entries().contains(kept.path()) => {
                format!("\nkept as {}\n\n", near(kept.path()))
            }
            Some(kept) => format!("\nknown: {} shows the same\n\n", near(kept.path())),
            None => format!("\nnot kept: {}\n\n", self.keeper),
        });
        self.screen.print(self.out, &text)
    }
}

/// What the program is called, without the directory it is in.
pub(super) fn program_name(program: &str) -> &str {
    program.trim_matches('\'').rsplit('/').next().unwrap_or(program)
}
