//! The access sequences of every operation, on its paths of success and of failure, on every profile,
//! and what a walk of the structures finds afterwards, as golden files, one for each group of scenes.
//!
//! `golden/accesses` is what `docs/fidelity.md` explains: removing, merging or swapping two accesses in
//! `mm` changes it. `PAGERACE_BLESS=1` writes it anew; the difference is then for review.
//!
//! A scene prints the last operation of CPU 0. Where its path needs another party, CPU 1 runs a program
//! too: the two take turns where the scene says so, where one has to wait, and where one ends. Objects
//! are printed with their number unless that is 0, and `|` is where CPU 1 ran. Every outcome that a
//! campaign counts occurs in a scene.
//!
//! Fields under a lock have no accesses: what a list does shows by the frame that comes from it, and in
//! `golden/left`, which holds the walks to what they must find while pages are cached and rights are held.
//! A campaign sees them only at rest, where all of that is gone.
//!
//! What it is not: a search for schedules, or a check of results.

mod scenes;

use super::tables::{Op, SPEC};
use super::*;
use pagerace_core::event::FreeList;
use pagerace_core::sync::{Access, Hook, Kind, Waiting};
use scenes::{FAILING, GROUPS, Program, Scene, Turn};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// More turns than any scene takes: two CPUs that only wait for each other are stopped.
const MANY_TURNS: usize = 100;
/// More accesses of one kind than any program makes: a CPU that never gets further is stopped.
const MANY_ACCESSES: usize = 1000;

#[derive(Default)]
struct State {
    names: Names,
    /// The CPU that runs; the other one waits in [`Stage::give_turn`].
    now: usize,
    ended: [bool; 2],
    taken: usize,
    turns: &'static [Turn],
    /// Accesses of each CPU by kind.
    seen: [[usize; Kind::ALL.len()]; 2],
    /// Whether CPU 0 is at the operation that is printed.
    printed: bool,
    sites: Vec<String>,
    outcomes: BTreeSet<usize>,
    fail: bool,
}

/// Two CPUs on two threads, of which one runs at a time.
#[derive(Default)]
struct Stage {
    state: Mutex<State>,
    turned: Condvar,
}

impl Stage {
    fn state(&self) -> MutexGuard<'_, State> {
        // A CPU that panicked leaves its turn in order; the other one is to end too.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_turn(&self, mut state: MutexGuard<'_, State>, cpu: usize) {
        while state.now != cpu {
            state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets the other CPU run until it is this one's turn again; false if the other has ended.
    fn give_turn(&self, cpu: usize) -> bool {
        let mut state = self.state();
        let other = 1 - cpu;
        if state.ended[other] {
            return false;
        }
        state.taken += 1;
        assert!(state.taken < MANY_TURNS, "two CPUs wait for each other");
        if cpu == 0 && state.printed {
            state.sites.push("|".into());
        }
        state.now = other;
        self.turned.notify_all();
        self.wait_for_turn(state, cpu);
        true
    }
}

/// Ends a CPU's part, also by a panic.
struct Ends(&'static Stage, usize);

impl Drop for Ends {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.ended[self.1] = true;
        state.now = 1 - self.1;
        self.0.turned.notify_all();
    }
}

/// The hook of one CPU's thread.
struct Party {
    stage: &'static Stage,
    cpu: usize,
}

impl Hook for Party {
    fn before(&self, access: Access) {
        let mut state = self.stage.state();
        let seen = &mut state.seen[self.cpu][access.kind as usize];
        *seen += 1;
        assert!(*seen < MANY_ACCESSES, "a CPU goes round in circles");
        let here = (self.cpu, access.kind, *seen);
        if state.turns.first() == Some(&here) {
            state.turns = &state.turns[1..];
            drop(state);
            self.stage.give_turn(self.cpu);
            state = self.stage.state();
        }
        if self.cpu == 0 && state.printed {
            let object = state.names.get(access.addr).unwrap_or_else(|| {
                let kind = access.kind.name();
                panic!(
                    "an access ({kind}) to an object without a name; name it in Memory::name (census.rs)"
                )
            });
            let class = SPEC.classes[usize::from(object.class())].name;
            let number = match object.instance() {
                0 => String::new(),
                n => format!("[{n}]"),
            };
            state.sites.push(format!("{class}{number}.{}", access.kind.name()));
        }
    }
    fn after(&self, _: u64, _: u64) {}
    fn fails(&self) -> bool {
        self.stage.state().fail
    }
    fn wait(&self, _: &[usize], waiting: Waiting) {
        assert!(self.stage.give_turn(self.cpu), "a CPU waits for ever: {waiting:?}");
    }
    fn wake(&self, _: usize) {}
    fn event(&self, _: pagerace_core::event::Event) {}
    fn outcome(&self, outcome: usize) {
        self.stage.state().outcomes.insert(outcome);
    }
    fn cpu(&self) -> CpuId {
        CpuId::new(self.cpu)
    }
}

/// Runs a part of a program; the last operation is printed if that is wanted.
fn run(party: &Party, memory: &MmSubject, ops: Program, held: &mut Vec<Right>, prints: bool) {
    for (at, &(op, operands)) in ops.iter().enumerate() {
        let takes = SPEC.ops[op as usize].takes;
        let fits = held.iter().rposition(|right| takes.has(<MmSubject as Subject>::kind(right)));
        let right = fits.map(|at| held.remove(at));
        {
            let mut state = party.stage.state();
            state.fail = operands[0] == FAILING;
            state.printed |= prints && at + 1 == ops.len();
        }
        match execute(memory, CpuId::new(party.cpu), Call { op: op as usize, operands, right }) {
            Done::Ok(right) => held.extend(right),
            Done::Failed => {}
            Done::Skipped(_) => panic!("{op:?} does not fit its scene"),
        }
    }
}

/// The set-up of a scene: the simplest value of each field that it says nothing of.
fn fields(scene: &Scene) -> Vec<u32> {
    let stated = [("frames", scene.frames), ("pcp_batch", scene.pcp_batch), ("indices", 2)];
    let value = |field: &crate::subject::FieldSpec| {
        let stated = stated.iter().find(|(name, _)| *name == field.name);
        stated.map_or(field.values[0], |(_, value)| *value)
    };
    SPEC.fields.iter().map(value).collect()
}

/// What a scene comes to.
struct Played {
    /// The accesses that it prints.
    sites: Vec<String>,
    /// Whether all turns were taken.
    all_turns: bool,
    /// What a walk of the structures finds at its end, where rights are held and caches are full; how many
    /// accesses it takes to give all back; and what a walk finds then.
    left: Vec<String>,
}

/// Runs a scene.
fn play(stage: &'static Stage, history: &[u8], scene: &Scene) -> Played {
    let fields = fields(scene);
    let mut history = history.to_vec();
    for (switch, variant) in scene.set {
        let (switch, variant) = SPEC.variant(switch, variant).expect("a variant");
        history[switch] = variant;
    }
    let setup = Setup { cpus: 2, fields: &fields, history: &history };
    let memory = &<MmSubject as Subject>::new(&setup);
    let outcomes = std::mem::take(&mut stage.state().outcomes);
    // Alone at first.
    *stage.state() = State { ended: [false, true], outcomes, ..State::default() };
    Subject::name(memory, &mut stage.state().names);
    let [main, other] = [0, 1].map(|cpu| &*Box::leak(Box::new(Party { stage, cpu })));
    let _hook = Controlled::install(main);
    let mut held = Vec::new();
    let (before, ops) = scene.ops.split_at(scene.before);
    run(main, memory, before, &mut held, false);
    {
        let mut state = stage.state();
        state.seen = Default::default();
        state.turns = scene.turns;
        state.ended[1] = scene.other.is_empty();
        state.now = scene.turns.first().map_or(0, |turn| turn.0);
    }
    std::thread::scope(|scope| {
        if !scene.other.is_empty() {
            scope.spawn(|| {
                let _hook = Controlled::install(other);
                let _ends = Ends(stage, 1);
                stage.wait_for_turn(stage.state(), 1);
                run(other, memory, scene.other, &mut Vec::new(), false);
            });
        }
        let _ends = Ends(stage, 0);
        stage.wait_for_turn(stage.state(), 0);
        run(main, memory, ops, &mut held, true);
        stage.state().printed = false;
    });
    let mut left = left(memory);
    let (sites, outcomes, all_turns) = {
        let mut state = stage.state();
        state.printed = true;
        (std::mem::take(&mut state.sites), state.outcomes.clone(), state.turns.is_empty())
    };
    // The end of a run: it is no operation, so its accesses are only counted.
    while let Some(right) = held.pop() {
        Subject::give_back(memory, CpuId::new(0), right);
    }
    Subject::drain(memory, CpuId::new(0));
    let mut state = stage.state();
    left.push(format!("| {} accesses", state.sites.len()));
    state.outcomes = outcomes;
    drop(state);
    left.extend(self::left(memory));
    Played { sites, all_turns, left }
}

/// The census in words, without what there is none of.
fn left(memory: &MmSubject) -> Vec<String> {
    let mut counted = Census::default();
    census(memory, &mut counted);
    let mut words = Vec::new();
    for block in &counted.free {
        let list = match block.list {
            FreeList::Buddy => "free",
            FreeList::PerCpu(_) => "listed",
        };
        words.push(format!("{list} f{}:{}", block.frame.0, block.order.0));
    }
    let counts = counted.refcounts.iter().enumerate().filter(|(_, count)| **count != 0);
    words.extend(counts.map(|(frame, count)| format!("count f{frame}={count}")));
    words.extend(counted.cached.iter().map(|frame| format!("cached f{}", frame.0)));
    words.extend(counted.quarantined.iter().map(|frame| format!("quarantined f{}", frame.0)));
    words.extend(counted.broken.iter().chain(&counted.miscounted).map(|rule| format!("{rule}!")));
    words
}

/// Runs all scenes; returns the golden text of each group, of accesses or of what is left, and the outcomes
/// that occurred.
fn play_all(part: fn(Played) -> Vec<String>) -> (Vec<(&'static str, String)>, BTreeSet<usize>) {
    let stage: &'static Stage = Box::leak(Box::default());
    let texts = GROUPS.iter().map(|(group, scenes)| (*group, play_group(stage, scenes, part)));
    let texts = texts.collect();
    let outcomes = std::mem::take(&mut stage.state().outcomes);
    (texts, outcomes)
}

fn play_group(stage: &'static Stage, scenes: &[Scene], part: fn(Played) -> Vec<String>) -> String {
    let mut text = String::new();
    for scene in scenes {
        writeln!(text, "{}", scene.name).expect("a string");
        // Profiles that agree share a line.
        let mut said: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
        let mut all_turns = false;
        for profile in SPEC.profiles {
            let played = play(stage, profile.history, scene);
            all_turns |= played.all_turns;
            let words = part(played);
            match said.iter_mut().find(|(_, seen)| *seen == words) {
                Some((profiles, _)) => profiles.push(profile.name),
                None => said.push((vec![profile.name], words)),
            }
        }
        assert!(all_turns, "no profile takes all turns of `{}`", scene.name);
        for (profiles, words) in said {
            writeln!(text, "  {}:", profiles.join(", ")).expect("a string");
            writeln!(text, "    {}", words.join(" ")).expect("a string");
        }
    }
    text
}

/// Compares with, or blesses, the files of one directory.
fn compare(directory: &str, texts: &[(&str, String)]) {
    let directory = format!("{}/src/subject/mm/golden/{directory}", env!("CARGO_MANIFEST_DIR"));
    for (group, text) in texts {
        let path = format!("{directory}/{group}.golden");
        if std::env::var_os("PAGERACE_BLESS").is_some() {
            std::fs::write(&path, text).expect("the golden file can be written");
        }
        let golden = std::fs::read_to_string(&path).expect("the golden file is there");
        assert!(*text == golden, "{path} changed; PAGERACE_BLESS=1 writes it anew:\n{text}");
    }
    let files = std::fs::read_dir(directory).expect("the directory is there");
    assert_eq!(files.count(), texts.len(), "each file has a group");
}

#[test]
fn access_sequences_are_the_golden_ones() {
    compare("accesses", &play_all(|played| played.sites).0);
}

#[test]
fn what_is_left_is_the_golden_ones() {
    compare("left", &play_all(|played| played.left).0);
}

#[test]
fn every_operation_outcome_and_kind_of_access_is_in_a_scene() {
    let scenes = || GROUPS.iter().flat_map(|(_, scenes)| *scenes);
    for op in Op::ALL {
        assert!(scenes().any(|scene| scene.ops.last().is_some_and(|l| l.0 == *op)), "{op:?}");
    }
    let (texts, outcomes) = play_all(|played| played.sites);
    let text: String = texts.into_iter().map(|(_, text)| text).collect();
    for (at, outcome) in SPEC.outcomes.iter().enumerate() {
        assert!(outcomes.contains(&at), "{}", outcome.name);
    }
    // `mm` has no compare-exchange that may fail by itself.
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::CasWeak) {
        assert!(text.contains(&format!(".{}", kind.name())), "{kind:?}");
    }
}

/// The source of the table in `points.rs`, but for what stands around it.
fn points() -> String {
    let stage: &'static Stage = Box::leak(Box::default());
    let mut text = String::new();
    for op in Op::ALL {
        let scenes = GROUPS.iter().flat_map(|(_, scenes)| *scenes);
        let scene = scenes
            .filter(|scene| scene.other.is_empty())
            .find(|scene| scene.ops.last().is_some_and(|last| last.0 == *op))
            .expect("each operation has a scene of its own");
        let sites = play(stage, SPEC.profiles[0].history, scene).sites;
        let class = |site: &String| {
            let name = site.split(['.', '[']).next().expect("a site has a class");
            SPEC.class(name).expect("it is in the table")
        };
        let points = sites.iter().filter(|site| !site.ends_with(".unlock"));
        let mut counts = std::collections::BTreeMap::new();
        points.for_each(|site| *counts.entry(class(site)).or_insert(0) += 1);
        let counts: Vec<String> =
            counts.iter().map(|(class, count)| format!("({class}, {count})")).collect();
        writeln!(text, "    &[{}], // {}", counts.join(", "), SPEC.ops[*op as usize].name)
            .expect("a string");
    }
    text
}

#[test]
fn points_are_those_of_each_operations_first_scene() {
    let path = format!("{}/src/subject/mm/points.rs", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(&path).expect("the table is there");
    let (head, rest) = source.split_once("] = [\n").expect("the table begins");
    let (_, tail) = rest.split_once("];\n").expect("the table ends");
    let written = format!("{head}] = [\n{}];\n{tail}", points());
    if std::env::var_os("PAGERACE_BLESS").is_some() {
        std::fs::write(&path, &written).expect("the table can be written");
    }
    let source = std::fs::read_to_string(&path).expect("the table is there");
    assert!(written == source, "{path} changed; PAGERACE_BLESS=1 writes it anew:\n{written}");
}
