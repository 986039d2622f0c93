//! The example's subject, driven as any other: nothing here is special to it but the cases.
//!
//! What it is not: a test of the executor or the oracles. It shows that a subject which shares no
//! line with the page cache is generated for, run, judged, reduced and replayed by the same code.

#[path = "../examples/your_allocator.rs"]
#[expect(dead_code, reason = "its main is the example's")]
mod your_allocator;

use pagerace::examine::{Examiner, SameFinding};
use pagerace::exec::{Ending, Executor, OpEnd, Run, Session, What, enumerate};
use pagerace::minimize::{Budget, reduce};
use pagerace::oracle::{Finding, Kind};
use pagerace::program::Case;
use pagerace::program::generate::{Fixed, Generator};
use pagerace::program::text::{self, Document};
use pagerace::subject::{Census, Spec, Subject};
use pagerace_core::sync::{Controlled, Native};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use your_allocator::Pages;

type Yours = Pages<Controlled>;

/// Puts a frame on the list that has an owner.
const LOST: &str = "pagerace case v1
subject your-allocator
cpus 2 first 0
field frames=4
history head=plain

cpu0:
  alloc
cpu1:
  p0 = alloc
  alloc
  free p0
schedule:
  policy stay
  at cpu0 op1 head.cas#1: run cpu1
";

/// Hands one frame to both CPUs.
const TWICE: &str = "pagerace case v1
subject your-allocator
history head=plain
cpu0:
  alloc
  alloc
cpu1:
  p0 = alloc
  alloc
  free p0
schedule:
  at cpu0 op1 head.cas#1: run cpu1
";

fn spec() -> &'static Spec {
    Yours::spec()
}

fn parse(text: &str) -> Case {
    text::parse(spec(), text.as_bytes()).expect("the text is well formed").case
}

fn under(profile: &str, case: &Case) -> Case {
    let mut case = case.clone();
    case.set_profile(spec().profile(profile).expect("a profile of the example"));
    case
}

fn signature(finding: Option<Finding>) -> Option<String> {
    finding.map(|finding| finding.signature.to_string())
}

#[test]
fn the_documented_case_is_the_one_tested() {
    let document = include_str!("../docs/your-allocator.md");
    assert!(document.contains(LOST));
    assert_eq!(Document::new(parse(LOST)).print(spec()), LOST);
}

#[test]
fn one_switch_shows_the_aba_of_a_plain_head_and_a_tag_prevents_it() {
    let mut examiner = Examiner::new(spec());
    Executor::<Yours>::new().session(|session| {
        for (text, expected) in
            [(LOST, "overlap/listed-twice"), (TWICE, "overlap/allocated-twice/page")]
        {
            let case = parse(text);
            let run = session.run(&case);
            assert_eq!((run.unreached, run.executed.len()), (0, 1));
            assert_eq!(signature(examiner.judge(run, &case)).as_deref(), Some(expected));
            assert_eq!(examiner.kind(session, &case).0, Kind::Race);
            let fixed = under("current", &case);
            assert_eq!(examiner.examine(session, &fixed), None);
        }
    });
}

/// What is found over all schedules of `case` with at most `switches` switches, by signature; and how
/// many schedules there are.
fn enumerated(case: &Case, switches: usize) -> (BTreeSet<String>, u64) {
    let mut examiner = Examiner::new(spec());
    let mut found = BTreeSet::new();
    let counted = Executor::<Yours>::new().session(|session| {
        enumerate::schedules(session, case, switches, u64::MAX, |case, run| {
            assert!(run.unreached == 0 && run.ending == Ending::Quiescent, "{:?}", run.ending);
            found.extend(signature(examiner.judge(run, case)));
            ControlFlow::Continue(())
        })
    });
    assert!(counted.complete);
    (found, counted.schedules)
}

#[test]
fn no_schedule_of_up_to_five_switches_gets_around_the_tag() {
    for text in [LOST, TWICE] {
        let case = parse(text);
        let (found, _) = enumerated(&case, 1);
        assert!(!found.is_empty(), "the enumeration must be able to find it");
        let (found, schedules) = enumerated(&under("current", &case), 5);
        assert_eq!(found, BTreeSet::new());
        assert!(schedules > 300, "only {schedules} schedules");
    }
}

/// Runs the first `cases` of a seed under a profile until one shows a race.
fn hunt(
    session: &mut Session<'_, Yours>,
    examiner: &mut Examiner,
    profile: &str,
    fixed: Fixed,
    cases: u64,
    mut look: impl FnMut(&Run, &Case),
) -> Option<(Case, Finding)> {
    let mut generator = Generator::new(spec(), 1, fixed);
    let mut case = under(profile, &Case::empty(spec()));
    for _ in 0..cases {
        generator.fill(&mut case);
        let run = session.run(&case);
        look(run, &case);
        let finding = examiner.judge(run, &case);
        if let Some(finding) = finding {
            assert_eq!(examiner.kind(session, &case).0, Kind::Race, "{finding:?}");
            return Some((case, finding));
        }
    }
    None
}

#[test]
fn a_campaign_from_nothing_finds_the_aba_and_reduces_it_to_its_text() {
    let mut examiner = Examiner::new(spec());
    let mut executor = Executor::<Yours>::new();
    let (finding, reduced) = executor.session(|session| {
        // Three CPUs can lose a frame in another way, which takes all of them.
        let fixed = Fixed { cpus: Some(2), ..Fixed::default() };
        let (case, finding) = hunt(session, &mut examiner, "aba", fixed, 100_000, |_, _| {})
            .expect("the planted bug is found");
        let mut same = SameFinding::new(&mut examiner, &finding, Kind::Race);
        let reduced = reduce(session, &case, &mut same, Budget::default());
        (finding, reduced.expect("what was found is found again"))
    });
    let reduced = reduced.case;
    let text = Document::new(reduced.clone()).print(spec());
    assert_eq!((reduced.active_cpus(), reduced.switches()), (2, 1), "{text}");
    // Four do; a touch between alloc and free stays, since free takes what it gives.
    assert!(reduced.ops.len() <= 5, "{text}");
    let again = parse(&text);
    let found = executor.session(|session| examiner.examine(session, &again));
    assert_eq!(found.map(|f| f.signature), Some(finding.signature));
}

#[test]
fn the_fixed_allocator_is_silent_while_every_operation_works() {
    let mut done = BTreeMap::new();
    let mut examiner = Examiner::new(spec());
    let found = Executor::<Yours>::new().session(|session| {
        hunt(session, &mut examiner, "current", Fixed::default(), 100_000, |run, case| {
            for entry in &run.trace {
                if let (Some(id), What::OpEnd(end)) = (entry.op, entry.what) {
                    let name = spec().ops[usize::from(case.ops[id.index()].op)].name;
                    *done.entry((name, matches!(end, OpEnd::Done { .. }))).or_insert(0) += 1;
                }
            }
        })
    });
    assert_eq!(found.map(|(_, finding)| finding), None);
    for op in spec().ops {
        let times = done.get(&(op.name, true)).copied().unwrap_or(0);
        assert!(times > 1_000, "{} worked {times} times", op.name);
    }
}

/// The same allocator without any hook, on real threads.
#[test]
fn native_threads_lose_no_frame() {
    let mut pages = Pages::<Native>::empty();
    pages.fill(16, true);
    std::thread::scope(|scope| {
        for mark in 1..=2 {
            let pages = &pages;
            scope.spawn(move || {
                for round in 0..50_000 {
                    let Some(block) = pages.alloc() else { continue };
                    pages.touch(block, mark);
                    pages.free(block);
                    if round % 2 == 0 {
                        pages.trim()
                    } else {
                        pages.refill()
                    };
                }
            });
        }
    });
    let mut census = Census::default();
    pages.count(&mut census);
    let frames: BTreeSet<_> = census.free.iter().map(|block| block.frame).collect();
    assert_eq!((census.free.len(), frames.len()), (16, 16));
}
