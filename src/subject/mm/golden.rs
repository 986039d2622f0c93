//! The access sequence of every operation run alone, on every profile, as a golden file.
//!
//! `accesses.golden` is what `docs/fidelity.md` explains: removing, merging or swapping two accesses in
//! `mm` changes it. `PAGERACE_BLESS=1` writes it anew; the difference is then for review.
//!
//! What it is not: a schedule. Nothing runs between two accesses here, except that a page lock or a
//! count may be held beforehand.

use super::tables::{Op, SPEC};
use super::*;
use pagerace_core::sync::{Access, Hook, Kind, Waiting};
use std::cell::{Cell, RefCell};
use std::fmt::Write as _;

/// Records accesses by name; fails the next allocation if told to.
#[derive(Default)]
struct Recorder {
    names: RefCell<Names>,
    sites: RefCell<Vec<String>>,
    fail: Cell<bool>,
}

impl Hook for Recorder {
    fn before(&self, access: Access) {
        let object = self.names.borrow().get(access.addr).expect("every object has a name");
        let class = SPEC.classes[usize::from(object.class())].name;
        self.sites.borrow_mut().push(format!("{class}.{}", access.kind.name()));
    }
    fn after(&self, _: u64, _: u64) {}
    fn fails(&self) -> bool {
        self.fail.replace(false)
    }
    fn wait(&self, _: &[usize], waiting: Waiting) {
        panic!("an operation that runs alone has to wait: {waiting:?}");
    }
    fn wake(&self, _: usize) {}
    fn event(&self, _: pagerace_core::event::Event) {}
    fn outcome(&self, _: usize) {}
    fn cpu(&self) -> CpuId {
        CpuId::new(0)
    }
}

/// Operations before the one that is printed: each takes the right before it if it takes one.
type Before = &'static [(Op, [u32; 2])];

/// What is printed: a name, `pcp_batch`, what comes before, and the operation.
type Scene = (&'static str, u32, Before, (Op, [u32; 2]));

const SCENES: &[Scene] = {
    use Op::*;
    const NO: [u32; 2] = [0, 0];
    &[
        ("alloc order 0", 0, &[], (Alloc, NO)),
        ("alloc order 2", 0, &[], (Alloc, [2, 0])),
        (
            "alloc, no memory",
            0,
            &[(Alloc, [2, 0]), (Alloc, [3, 0]), (Alloc, [2, 0])],
            (Alloc, [3, 0]),
        ),
        ("alloc, may_fail", 0, &[], (Alloc, [9, 0])),
        ("alloc order 0, list empty", 2, &[], (Alloc, NO)),
        ("alloc order 0, list hit", 2, &[(Alloc, NO)], (Alloc, NO)),
        ("alloc order 1, with lists", 2, &[], (Alloc, [1, 0])),
        ("alloc_compound order 2", 0, &[], (AllocCompound, [2, 0])),
        ("alloc_exact 3 pages", 0, &[], (AllocExact, [2, 0])),
        ("split_page order 2", 0, &[(Alloc, [2, 0])], (SplitPage, NO)),
        ("free_pages order 0", 0, &[(Alloc, NO)], (FreePages, NO)),
        ("free_pages order 0, to the list", 2, &[(Alloc, NO)], (FreePages, NO)),
        ("free_pages order 2", 0, &[(Alloc, [2, 0])], (FreePages, NO)),
        ("free_pages compound order 2", 0, &[(AllocCompound, [2, 0])], (FreePages, NO)),
        ("free_pages not last", 0, &[(AllocCompound, [2, 0]), (GetPage, NO)], (FreePages, NO)),
        ("free_exact 3 pages", 0, &[(AllocExact, [2, 0])], (FreeExact, NO)),
        ("get_page compound", 0, &[(AllocCompound, [2, 0])], (GetPage, NO)),
        ("put_page order 0", 0, &[(Alloc, NO)], (PutPage, NO)),
        ("put_page compound", 0, &[(AllocCompound, [2, 0])], (PutPage, NO)),
        ("put_page not last", 0, &[(Alloc, NO), (GetPage, NO)], (PutPage, NO)),
        ("add index 0", 0, &[], (Add, NO)),
        ("add index 1", 0, &[(Add, NO)], (Add, [0, 1])),
        ("add, index taken", 0, &[(Add, NO)], (Add, NO)),
        ("delete index 0", 0, &[(Add, NO)], (Delete, NO)),
        ("delete index 1, last of its node", 0, &[(Add, [0, 1])], (Delete, [0, 1])),
        ("delete nothing", 0, &[], (Delete, NO)),
        ("lookup index 0", 0, &[(Add, NO)], (Lookup, NO)),
        ("lookup index 1", 0, &[(Add, [0, 1])], (Lookup, [0, 1])),
        ("lookup nothing", 0, &[], (Lookup, NO)),
        ("lookup_lock", 0, &[(Add, NO)], (LookupLock, NO)),
        ("truncate two pages", 0, &[(Add, NO), (Add, [0, 1])], (Truncate, NO)),
        ("reclaim", 0, &[(Add, NO)], (Reclaim, NO)),
        ("reclaim, freeze fails", 0, &[(Add, NO), (Lookup, NO)], (Reclaim, NO)),
        ("reclaim nothing", 0, &[], (Reclaim, NO)),
        ("writeback", 0, &[(Add, NO)], (Writeback, NO)),
        ("writeback nothing", 0, &[], (Writeback, NO)),
        ("scan a page", 0, &[(Alloc, NO)], (Scan, NO)),
        ("scan a tail", 0, &[(AllocCompound, [2, 0])], (Scan, [3, 0])),
        ("scan a free frame", 0, &[], (Scan, NO)),
        ("drain_local", 2, &[(Alloc, NO)], (DrainLocal, NO)),
        ("drain_all", 2, &[(Alloc, NO)], (DrainAll, NO)),
        ("synchronize_rcu", 0, &[], (SynchronizeRcu, NO)),
    ]
};

/// `alloc order 9` stands for an allocation that the schedule fails.
const FAILING: u32 = 9;

fn sites(recorder: &Recorder, history: &[u8], scene: usize) -> Vec<String> {
    let (_, batch, before, last) = SCENES[scene];
    let fields = [8, batch, 1, 2];
    let setup = Setup { cpus: 2, fields: &fields, history };
    let memory = <MmSubject as Subject>::new(&setup);
    let mut names = Names::new();
    Subject::name(&memory, &mut names);
    *recorder.names.borrow_mut() = names;
    let mut held = None;
    for &(op, operands) in before.iter().chain([&last]) {
        recorder.sites.borrow_mut().clear();
        recorder.fail.set(op == Op::Alloc && operands[0] == FAILING);
        let takes = !SPEC.ops[op as usize].takes.is_empty();
        let call = Call { op: op as usize, operands, right: held.filter(|_| takes) };
        match execute(&memory, CpuId::new(0), call) {
            Done::Ok(right) => held = right.or(held.filter(|_| !takes)),
            Done::Failed => {}
            Done::Skipped(_) => panic!("{op:?} does not fit its scene"),
        }
    }
    recorder.sites.borrow().clone()
}

#[test]
fn access_sequences_are_the_golden_ones() {
    let recorder: &'static Recorder = Box::leak(Box::default());
    let guard = Controlled::install(recorder);
    let mut text = String::new();
    for (at, (name, ..)) in SCENES.iter().enumerate() {
        writeln!(text, "{name}").expect("a string");
        // Profiles that agree share a line.
        let mut said: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
        for profile in SPEC.profiles {
            let sites = sites(recorder, profile.history, at);
            match said.iter_mut().find(|(_, seen)| *seen == sites) {
                Some((profiles, _)) => profiles.push(profile.name),
                None => said.push((vec![profile.name], sites)),
            }
        }
        for (profiles, sites) in said {
            writeln!(text, "  {}:", profiles.join(", ")).expect("a string");
            writeln!(text, "    {}", sites.join(" ")).expect("a string");
        }
    }
    drop(guard);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/subject/mm/accesses.golden");
    if std::env::var_os("PAGERACE_BLESS").is_some() {
        std::fs::write(path, &text).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(path).expect("the golden file is there");
    assert!(text == golden, "accesses changed; PAGERACE_BLESS=1 writes them anew:\n{text}");
}

#[test]
fn every_operation_and_every_kind_of_access_is_in_a_scene() {
    for op in Op::ALL {
        assert!(SCENES.iter().any(|(.., last)| last.0 == *op), "{op:?}");
    }
    let golden = include_str!("accesses.golden");
    // What only happens in company: waiting, waking, and a compare-exchange that may fail by itself.
    let alone = |kind: &&Kind| !matches!(kind, Kind::CasWeak | Kind::Wait | Kind::Wake);
    for kind in Kind::ALL.iter().filter(alone) {
        assert!(golden.contains(&format!(".{}", kind.name())), "{kind:?}");
    }
}
