//! `sweep`: one reference more, at every instant.
//!
//! | file | holds |
//! |---|---|
//! | `state` | the file that a sweep goes on from |
//! | `summary` | its end, as text and as JSON |
//!
//! What it is not: the sweep of a case ([`crate::sweep`]); here are the cases, what is shown of it, and
//! what becomes of its findings.

mod state;
mod summary;

use super::hunt::{FOUND, draw_seed, program_name, stop_on_interrupt};
use super::judged::Bench;
use super::keep::{Keeper, near, near_word};
use super::output::{Error, Output, refused};
use super::progress::{Limits as Bounds, Screen};
use super::table::{counted, grouped};
use super::{Verdict, args, input, races};
use crate::campaign::Progress;
use crate::corpus::entry::catalogue_name;
use crate::corpus::{Entry, Kept, Provenance};
use crate::examine::SameFinding;
use crate::minimize::{Budget, reduce};
use crate::oracle::{Kind, Signature};
use crate::program::Case;
use crate::program::generate::{Fixed, Generator};
use crate::program::text::Document;
use crate::subject::Subject;
use crate::sweep::{Concrete, Hit, Limits, Sweep, Unfit, concrete};
use serde_json::{Map, Value, json};
use state::{Counter, Found, State, StateFile};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// What is swept.
enum What<'a> {
    File(&'a Path, Box<Case>),
    Random { cases: u64, seed: u64, from: From },
}

/// Where a seed comes from.
#[derive(Clone, Copy)]
enum From {
    Asked,
    State,
    Drawn,
}

/// Sweeps a file's case or random ones.
pub fn run<S: Subject>(
    args: &args::Sweep,
    program: &str,
    started: Instant,
) -> Result<Verdict, Error> {
    let what = what::<S>(args)?;
    let out = if args.json { Output::stderr() } else { Output::stdout() };
    let keeper = args.out.as_deref().map(|out| Keeper::new(Some(out))).transpose()?;
    let asked = asked::<S>(args, &what);
    let open = |path| StateFile::open(path, state::program()?, &asked);
    let opened = args.state.as_deref().map(open).transpose()?;
    let (file, state) = opened.map_or((None, State::default()), |(f, state)| (Some(f), state));
    let screen = Screen::new(match &what {
        What::File(..) => Bounds { executions: Some(args.runs), time: None, unit: "runs" },
        What::Random { cases, .. } => {
            Bounds { executions: Some(*cases), time: None, unit: "cases" }
        }
    });
    let progress = Arc::new(Progress::default());
    let interrupted = stop_on_interrupt(&progress);
    out.print(&header(args, &what, &label::<S>(args), &state))?;
    let mut sweeper = Sweeper::<S> {
        args,
        out: &out,
        screen: &screen,
        keeper: keeper.as_ref(),
        progress: &progress,
        program,
        label: label::<S>(args),
        bench: Bench::new(),
        state,
        file,
    };
    watched(&screen, &progress, || sweeper.all(&what))?;
    if interrupted.load(Ordering::Relaxed) {
        out.line("interrupted")?;
    }
    let state = &sweeper.state;
    out.print(&summary::text(S::spec(), state, args.runs, started.elapsed()))?;
    if args.json {
        let object = summary::json(S::spec(), &asked, state, started.elapsed());
        Output::stdout().print(&races::pretty(&object))?;
    }
    Ok(Verdict::found(!state.found.is_empty()))
}

fn what<S: Subject>(args: &args::Sweep) -> Result<What<'_>, Error> {
    if let Some(file) = &args.file {
        let case = input::case::<S>(file, &args.source)?.case;
        return Ok(What::File(file, Box::new(case)));
    }
    let cases = args.random.expect("the command line asks for one of the two");
    // Drawn once: the same command goes on with the same cases.
    let there = || args.state.as_deref().and_then(state::seed);
    let (seed, from) = match args.seed {
        Some(seed) => (seed, From::Asked),
        None => there().map_or_else(|| (draw_seed(), From::Drawn), |seed| (seed, From::State)),
    };
    Ok(What::Random { cases, seed, from })
}

fn label<S: Subject>(args: &args::Sweep) -> String {
    match &args.file {
        Some(_) if !input::is_asked_for(&args.source.history) => "its own history".to_owned(),
        _ => input::history_label(&args.source.history, S::spec().profiles[0].name),
    }
}

fn limits(args: &args::Sweep) -> Limits {
    Limits { all: args.all, runs: args.runs }
}

/// What makes a sweep another one: all but how many cases there are to be.
fn asked<S: Subject>(args: &args::Sweep, what: &What<'_>) -> Map<String, Value> {
    let spec = S::spec();
    let mut asked = Map::new();
    let mut add = |key: &str, value: Value| drop(asked.insert(key.to_owned(), value));
    add("version", json!(env!("CARGO_PKG_VERSION")));
    add("subject", json!(spec.name));
    match what {
        What::File(_, case) => {
            add("case", json!(Document::new(Case::clone(case)).print(spec)));
        }
        What::Random { seed, .. } => {
            let mut case = Case::empty(spec);
            input::set_history(spec, &mut case, &args.source.history);
            let history = spec.switches.iter().zip(&case.history).map(|(switch, &variant)| {
                format!("{}={}", switch.name, switch.variants[usize::from(variant)].name)
            });
            add("seed", json!(seed));
            add("profile", json!(label::<S>(args)));
            add("history", json!(history.collect::<Vec<_>>()));
            add("cpus", json!(args.cpus));
            let fields = spec.fields.iter().zip(&args.fields);
            let fields = fields.map(|(field, value)| (field.name.to_owned(), json!(value)));
            add("fields", Value::Object(fields.collect()));
        }
    }
    add("all", json!(args.all));
    add("runs_per_case", json!(args.runs));
    asked
}

fn header(args: &args::Sweep, what: &What<'_>, label: &str, state: &State) -> String {
    let runs = format!("at most {} runs each", grouped(args.runs));
    let all = if args.all { ", every instant" } else { "" };
    let mut text = match what {
        What::File(path, _) => format!("{}, {runs}{all}\n", near(path)),
        What::Random { cases, seed, from } => {
            let again = match from {
                From::Asked => String::new(),
                From::State => " (of the state)".to_owned(),
                From::Drawn => format!(" (drawn; --seed {seed} sweeps the same)"),
            };
            format!(
                "profile {label}, {}, {runs}{all}\nseed {seed}{again}\n",
                counted(*cases as usize, "random case", "random cases"),
            )
        }
    };
    if state.get(Counter::Runs) > 0 {
        text.push_str(&format!("going on after {} runs\n", grouped(state.get(Counter::Runs))));
    }
    text.push('\n');
    text
}

/// Works while another thread shows the progress.
fn watched<T>(screen: &Screen, progress: &Progress, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let (running, ended) = mpsc::channel();
        scope.spawn(move || screen.watch(progress, &ended));
        let result = work();
        drop(running);
        result
    })
}

struct Sweeper<'a, S: Subject> {
    args: &'a args::Sweep,
    out: &'a Output,
    screen: &'a Screen,
    keeper: Option<&'a Keeper>,
    progress: &'a Progress,
    program: &'a str,
    label: String,
    bench: Bench<S>,
    state: State,
    file: Option<StateFile>,
}

impl<S: Subject> Sweeper<'_, S> {
    fn all(&mut self, what: &What<'_>) -> Result<(), Error> {
        match what {
            What::File(path, case) => self.one_file(path, case)?,
            What::Random { cases, seed, .. } => self.random(*cases, *seed)?,
        }
        self.save()
    }

    fn save(&mut self) -> Result<(), Error> {
        self.file.as_mut().map_or(Ok(()), |file| file.write(&self.state))
    }

    /// After what can be gone on from.
    fn rest(&mut self) -> Result<(), Error> {
        if self.out.is_closed() {
            // Nobody looks any more.
            self.progress.stop();
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write_now_and_then(&self.state))
    }

    /// [`Sweeper::rest`]; at once, if there are findings that there were not before.
    fn rest_after(&mut self, known: usize) -> Result<(), Error> {
        if self.state.found.len() > known {
            self.save()?;
        }
        self.rest()
    }

    fn begin(&mut self, case: &Case) -> Result<Sweep, Unfit> {
        let limits = limits(self.args);
        let Bench { executor, examiner } = &mut self.bench;
        executor.session(|session| Sweep::new(session, examiner, case, limits))
    }

    fn step(&mut self, sweep: &mut Sweep) -> bool {
        let Bench { executor, examiner } = &mut self.bench;
        executor.session(|session| sweep.step(session, examiner))
    }

    /// A file is gone on with place by place.
    fn one_file(&mut self, path: &Path, case: &Case) -> Result<(), Error> {
        let mut sweep = self.begin(case).map_err(|unfit| {
            let next = match unfit {
                Unfit::Shows(_) => "look at its run with `show`; a sweep takes cases that pass",
                _ => "name another case",
            };
            refused(path, unfit.to_string(), next)
        })?;
        if self.state.get(Counter::Runs) > 0 {
            let tried = self.state.get(Counter::Tried) as usize;
            sweep.go_on_from(tried, self.state.get(Counter::Runs));
        }
        self.state.set(Counter::Cases, 1);
        self.state.set(Counter::Drawn, 1);
        self.state.set(Counter::Places, sweep.places() as u64);
        while !self.progress.stopped() {
            let (before, known) = (sweep.runs(), self.state.found.len());
            let more = self.step(&mut sweep);
            self.progress.advance(sweep.runs() - before);
            if more || sweep.is_cut() {
                for hit in sweep.take_hits() {
                    self.found(&hit, case, 1)?;
                }
            }
            if !more {
                break;
            }
            self.state.set(Counter::Tried, sweep.tried() as u64);
            self.state.set(Counter::Runs, sweep.runs());
            self.rest_after(known)?;
        }
        self.state.set(Counter::Runs, sweep.runs());
        self.state.set(Counter::Cut, u64::from(sweep.is_cut()));
        Ok(())
    }

    /// Random cases are gone on with case by case.
    fn random(&mut self, cases: u64, seed: u64) -> Result<(), Error> {
        let spec = S::spec();
        let fixed = Fixed { cpus: self.args.cpus, fields: self.args.fields.clone() };
        let mut generator = Generator::new(spec, seed, fixed);
        let mut case = Case::empty(spec);
        input::set_history(spec, &mut case, &self.args.source.history);
        self.progress.advance(self.state.get(Counter::Cases));
        while self.state.get(Counter::Cases) < cases && !self.progress.stopped() {
            let known = self.state.found.len();
            generator.seek(self.state.get(Counter::Drawn));
            generator.fill(&mut case);
            match self.begin(&case) {
                Err(Unfit::Unknown) => {
                    let next = "sweep a subject that has one";
                    return Err(refused(Path::new(spec.name), Unfit::Unknown.to_string(), next));
                }
                Err(Unfit::Shows(_)) => self.state.add(Counter::Shows, 1),
                Err(_) => self.state.add(Counter::TooLarge, 1),
                Ok(mut sweep) => {
                    while self.step(&mut sweep) {
                        if self.progress.stopped() {
                            // This case again, next time.
                            return Ok(());
                        }
                    }
                    self.swept(&mut sweep, &case)?;
                }
            }
            self.state.add(Counter::Drawn, 1);
            self.rest_after(known)?;
        }
        Ok(())
    }

    fn swept(&mut self, sweep: &mut Sweep, case: &Case) -> Result<(), Error> {
        let number = self.state.get(Counter::Cases) + 1;
        for hit in sweep.take_hits() {
            self.found(&hit, case, number)?;
        }
        self.state.set(Counter::Cases, number);
        self.state.add(Counter::Runs, sweep.runs());
        self.state.add(Counter::Places, sweep.places() as u64);
        self.state.add(Counter::Tried, sweep.tried() as u64);
        self.state.add(Counter::Cut, u64::from(sweep.is_cut()));
        self.progress.advance(1);
        Ok(())
    }

    /// Enters a finding; the first of a signature is reduced, made concrete, kept and shown.
    fn found(&mut self, hit: &Hit, swept: &Case, number: u64) -> Result<(), Error> {
        let spec = S::spec();
        let signature = hit.finding.signature.as_str();
        let kind = hit.case.as_ref().map(|case| {
            let Bench { executor, examiner } = &mut self.bench;
            executor.session(|session| examiner.kind(session, case).0)
        });
        let name = kind.map_or_else(|| "unknown".to_owned(), |kind| kind.to_string());
        let is_it = |found: &&mut Found| found.signature == signature && found.kind == name;
        if let Some(found) = self.state.found.iter_mut().find(is_it) {
            found.count += hit.count;
            return Ok(());
        }
        let (Some(case), Some(kind)) = (&hit.case, kind) else {
            let text = Document::new(swept.clone()).print(spec);
            let what = format!(
                "{FOUND}found{FOUND:#} {signature} in case {}; no schedule of its own shows it: sweep \
                 this case to see it again\n\n{text}\n",
                grouped(number)
            );
            self.screen.print(self.out, &what)?;
            self.state.found.push(entered(hit, &name, number, text));
            return Ok(());
        };
        self.progress.show(kind);
        // As it was found, first: a kill loses nothing.
        self.keep(case, &hit.finding.signature, kind, number, false)?;
        let (case, concrete) = self.reduced(case, hit, kind);
        let kept = self.keep(&case, &hit.finding.signature, kind, number, true)?;
        let kept_concrete = match &concrete {
            Some(Concrete { case, finding }) => {
                self.keep(case, &finding.signature, Kind::Race, number, true)?
            }
            None => None,
        };
        self.show(hit, kind, &case, kept.as_ref(), number)?;
        self.show_concrete(concrete.as_ref(), kept_concrete.as_ref())?;
        let path = |kept: Option<Kept>| kept.map(|kept| near(kept.path()));
        let mut found = entered(hit, &kind.to_string(), number, Document::new(case).print(spec));
        found.entry = path(kept);
        found.concrete = concrete.map(|Concrete { case, finding }| {
            (finding.signature.to_string(), Document::new(case).print(spec), path(kept_concrete))
        });
        self.state.found.push(found);
        Ok(())
    }

    fn reduced(&mut self, case: &Case, hit: &Hit, kind: Kind) -> (Case, Option<Concrete>) {
        let Bench { executor, examiner } = &mut self.bench;
        executor.session(|session| {
            let mut same = SameFinding::new(examiner, &hit.finding, kind);
            let reduced = reduce(session, case, &mut same, Budget::default());
            let case = reduced.map_or_else(|| case.clone(), |reduced| reduced.case);
            let concrete = concrete(session, examiner, &case, &hit.finding.signature);
            (case, concrete)
        })
    }

    fn keep(
        &self,
        case: &Case,
        signature: &Signature,
        kind: Kind,
        number: u64,
        reduced: bool,
    ) -> Result<Option<Kept>, Error> {
        let Some(keeper) = self.keeper else { return Ok(None) };
        let spec = S::spec();
        let provenance = Provenance {
            by: &format!("{} sweep", program_name(self.program)),
            profile: &self.label,
            seed: self.args.seed,
            executions: self.args.random.map(|_| number),
        };
        let entry = Entry::found(case, signature, kind, &provenance, reduced);
        let name = catalogue_name(spec, case, signature, kind);
        match keeper.keep(spec, &entry, name)? {
            Some(there) if reduced => keeper.improve(spec, &entry, there).map(Some),
            kept => Ok(kept),
        }
    }

    fn show(
        &mut self,
        hit: &Hit,
        kind: Kind,
        case: &Case,
        kept: Option<&Kept>,
        number: u64,
    ) -> Result<(), Error> {
        let signature = &hit.finding.signature;
        let mut text =
            format!("{FOUND}found{FOUND:#} {signature} ({kind}) in case {}\n\n", grouped(number));
        let command =
            kept.map(|kept| format!("{} replay {}", self.program, near_word(kept.path())));
        if let Some((finding, kind)) = self.bench.judge(case) {
            text.push_str(&self.bench.report(case, &finding, kind, command.as_deref()));
            text.push('\n');
        }
        match kept {
            Some(kept) => text.push_str(&format!("kept as {}\n\n", near(kept.path()))),
            None => {
                text.push_str(&Document::new(case.clone()).print(S::spec()));
                text.push('\n');
            }
        }
        self.screen.print(self.out, &text)
    }

    fn show_concrete(&self, found: Option<&Concrete>, kept: Option<&Kept>) -> Result<(), Error> {
        let text = match (found, kept) {
            (None, _) => "no operation was found that takes this reference\n\n".to_owned(),
            (Some(Concrete { finding, .. }), Some(kept)) => format!(
                "without an injected reference: {} (race), in {}\n\n",
                finding.signature,
                near(kept.path())
            ),
            (Some(Concrete { case, finding }), None) => format!(
                "without an injected reference: {} (race)\n\n{}\n",
                finding.signature,
                Document::new(case.clone()).print(S::spec())
            ),
        };
        self.screen.print(self.out, &text)
    }
}

fn entered(hit: &Hit, kind: &str, number: u64, case: String) -> Found {
    Found {
        signature: hit.finding.signature.to_string(),
        class: hit.finding.class.name().to_owned(),
        kind: kind.to_owned(),
        first_case: number,
        count: hit.count,
        case,
        entry: None,
        concrete: None,
    }
}
