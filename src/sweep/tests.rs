//! Sweeps of hand-written and of random cases, on the subject `mm`.
//!
//! What it is not: a calibration of the oracles (that is `tests/faults`).

use super::*;
use crate::examine::SameFinding;
use crate::exec::Executor;
use crate::minimize::{Budget, reduce};
use crate::oracle::Kind;
use crate::program::generate::{Fixed, Generator};
use crate::program::text;
use crate::subject::mm::{MmSubject, SPEC};
use std::collections::BTreeMap;

/// A block that its only CPU allocates and frees.
const BLOCK: &str = "pagerace case v1
subject mm
cpus 1 first 0
cpu0:
  p0 = alloc order=1
  free_pages p0
";

fn case(text: &str, switches: &[(&str, &str)]) -> Case {
    let mut case = text::parse(&SPEC, text.as_bytes()).unwrap().case;
    set(&mut case, switches);
    case
}

fn set(case: &mut Case, switches: &[(&str, &str)]) {
    for (switch, variant) in switches {
        let (at, variant) = SPEC.variant(switch, variant).expect("a variant");
        case.history[at] = variant;
    }
}

/// Sweeps and judges.
struct Bench {
    executor: Executor<MmSubject>,
    examiner: Examiner,
}

/// What a sweep of a whole case says.
struct Swept {
    hits: BTreeMap<String, Hit>,
    runs: u64,
    tried: usize,
    cut: bool,
}

impl Bench {
    fn new() -> Self {
        Self { executor: Executor::new(), examiner: Examiner::new(&SPEC) }
    }

    fn sweep(&mut self, case: &Case, limits: Limits) -> Result<Swept, Unfit> {
        let examiner = &mut self.examiner;
        self.executor.session(|session| {
            let mut sweep = Sweep::new(session, examiner, case, limits)?;
            let mut hits: BTreeMap<String, Hit> = BTreeMap::new();
            while sweep.step(session, examiner) {}
            for hit in sweep.take_hits() {
                hits.insert(hit.finding.signature.to_string(), hit);
            }
            let (runs, tried, cut) = (sweep.runs(), sweep.tried(), sweep.is_cut());
            assert!(cut || tried == sweep.places());
            Ok(Swept { hits, runs, tried, cut })
        })
    }

    /// The block on the allocator of 5.9, and how it leaks there.
    fn leak(&mut self) -> (Case, Hit) {
        let old = case(BLOCK, &[("free_pages", "v5_9")]);
        let mut swept = self.sweep(&old, Limits::default()).unwrap();
        (old, swept.hits.remove("leak/block/spec").unwrap())
    }

    fn shows(&mut self, case: &Case) -> Option<String> {
        let examiner = &mut self.examiner;
        self.executor
            .session(|session| examiner.examine(session, case))
            .map(|finding| finding.signature.to_string())
    }
}

/// The first passing cases of a seed that can be swept.
fn random(
    bench: &mut Bench,
    seed: u64,
    switches: &[(&str, &str)],
    limits: Limits,
    n: usize,
) -> Vec<(Case, Swept)> {
    let mut generator = Generator::new(&SPEC, seed, Fixed::default());
    let mut case = Case::empty(&SPEC);
    set(&mut case, switches);
    let mut cases = Vec::new();
    while cases.len() < n {
        generator.fill(&mut case);
        if let Ok(swept) = bench.sweep(&case, limits) {
            cases.push((case.clone(), swept));
        }
    }
    cases
}

#[test]
fn a_block_freed_on_one_cpu_leaks_on_5_9_and_on_no_later_version() {
    let mut bench = Bench::new();
    let swept = bench.sweep(&case(BLOCK, &[("free_pages", "v5_9")]), Limits::default()).unwrap();
    let found: Vec<&String> = swept.hits.keys().collect();
    assert_eq!(found, ["leak/block/spec"]);
    for variant in ["v5_10", "v6_2"] {
        let case = case(BLOCK, &[("free_pages", variant)]);
        let swept = bench.sweep(&case, Limits { all: true, ..Limits::default() }).unwrap();
        assert!(swept.hits.is_empty() && swept.tried > 0 && !swept.cut, "{variant}");
    }
}

#[test]
fn what_is_found_is_an_ordinary_case() {
    let mut bench = Bench::new();
    let (old, hit) = bench.leak();
    let found = hit.case.expect("a list of decisions says it");
    assert_eq!(bench.shows(&found).as_deref(), Some("leak/block/spec"));
    let printed = text::Text { spec: &SPEC, case: &found }.to_string();
    assert!(printed.contains("hold frame="), "{printed}");
    let read = text::parse(&SPEC, printed.as_bytes()).unwrap().case;
    assert_eq!(read, found);
    let bytes = crate::program::wire::encode(&SPEC, &found);
    let decoded = crate::program::wire::decode(&SPEC, &bytes);
    assert!(!decoded.ops.iter().any(|op| SPEC.is_injected(op.op)), "bytes have no word for it");
    assert!(decoded.ops.len() >= old.ops.len(), "and the rest is there");
    let mut sound = found.clone();
    set(&mut sound, &[("free_pages", "v6_2")]);
    assert_eq!(
        bench.shows(&sound),
        None,
        "the near miss: the same schedule on the current version"
    );
}

#[test]
fn an_injected_reference_is_replaced_by_one_that_an_operation_takes() {
    let mut bench = Bench::new();
    let hit = bench.leak().1;
    let (case, signature) = (hit.case.unwrap(), hit.finding.signature);
    let Bench { executor, examiner } = &mut bench;
    let found = executor.session(|session| concrete(session, examiner, &case, &signature)).unwrap();
    assert_eq!(found.finding.signature.as_str(), "leak/block/scan");
    assert!(found.case.ops.iter().all(|op| !SPEC.is_injected(op.op)));
    assert_eq!(bench.shows(&found.case).as_deref(), Some("leak/block/scan"));
    let Bench { executor, examiner } = &mut bench;
    assert_eq!(executor.session(|session| examiner.kind(session, &found.case).0), Kind::Race);
}

/// What gives the table up is not needed for the finding, as the drain does it, too, and so it is reduced
/// away; but no reference that an operation drops is still there then.
#[test]
fn what_the_drain_gives_back_is_given_back_by_an_operation() {
    let table = "pagerace case v1
subject mm
cpus 1 first 0
cpu0:
  p0 = table_map table=0
  table_unmap p0
";
    let mut bench = Bench::new();
    let shared = case(table, &[("table_sharing", "refcount")]);
    let mut swept = bench.sweep(&shared, Limits::default()).unwrap();
    let hit = swept.hits.remove("bad-page/table-at-free/spec").expect("it is found");
    let case = hit.case.expect("a list of decisions says it");
    let Bench { executor, examiner } = &mut bench;
    let unmap = SPEC.op("table_unmap").unwrap() as u8;
    let found = executor.session(|session| {
        let mut same = SameFinding::new(examiner, &hit.finding, Kind::Race);
        let reduced = reduce(session, &case, &mut same, Budget::default()).unwrap().case;
        assert!(reduced.ops.iter().all(|op| op.op != unmap), "{reduced:?}");
        concrete(session, examiner, &reduced, &hit.finding.signature).expect("a scan shows it")
    });
    assert_eq!(found.finding.signature.as_str(), "bad-page/table-at-free");
    assert!(found.case.ops.iter().any(|op| op.op == unmap));
    assert!(found.case.ops.iter().all(|op| !SPEC.is_injected(op.op)));
}

/// Random cases, and of as many again as it takes those in which something is found.
#[test]
fn a_reduced_sweep_says_what_a_full_one_says() {
    let mut bench = Bench::new();
    let (mut found, mut runs) = (0, [0, 0]);
    for switches in [&[("free_pages", "v5_9")], &[("free_pages", "v5_10")]] {
        let unbounded = Limits { all: false, runs: u64::MAX };
        let cases = random(&mut bench, 3, switches, unbounded, 2_000).into_iter().enumerate();
        for (at, (case, reduced)) in cases {
            if at >= 50 && reduced.hits.is_empty() {
                continue;
            }
            let full = bench.sweep(&case, Limits { all: true, ..unbounded }).unwrap();
            let names = |swept: &Swept| swept.hits.keys().cloned().collect::<Vec<_>>();
            let text = text::Text { spec: &SPEC, case: &case };
            assert_eq!(names(&reduced), names(&full), "{text}");
            found += reduced.hits.len();
            runs = [runs[0] + reduced.runs, runs[1] + full.runs];
        }
    }
    println!("{found} signatures, in {} and {} runs", runs[0], runs[1]);
    assert!(found >= 10, "there is something to agree on: {found}");
    assert!(runs[0] * 2 < runs[1], "{runs:?}");
}

#[test]
fn random_cases_stay_silent_on_the_current_version() {
    let mut bench = Bench::new();
    let mut tried = 0;
    for (case, swept) in random(&mut bench, 1, &[], Limits::default(), 200) {
        let text = text::Text { spec: &SPEC, case: &case };
        assert!(swept.hits.is_empty(), "{:?}\n{text}", swept.hits);
        tried += swept.tried;
    }
    assert!(tried > 400, "references were taken: {tried}");
}

#[test]
fn what_cannot_be_swept_is_told_apart() {
    let mut bench = Bench::new();
    let mut unfit = |text: &str, switches| {
        bench.sweep(&case(text, switches), Limits::default()).err().map(|unfit| unfit.to_string())
    };
    let wide = BLOCK.replace("cpus 1", "cpus 4");
    assert!(unfit(&wide, &[]).unwrap().contains("at most 3 CPUs"));
    let many = BLOCK.replace("  free_pages p0\n", &"  drain_local\n".repeat(61));
    assert!(unfit(&many, &[]).unwrap().contains("61 operations"));
    let held = BLOCK.replace("  free_pages", "  hold frame=0\n  free_pages");
    assert!(unfit(&held, &[]).unwrap().contains("already"));
    assert_eq!(unfit(BLOCK, &[("free_pages", "v5_9")]), None);
}

#[test]
fn a_sweep_goes_on_where_another_one_was_cut() {
    let mut bench = Bench::new();
    let old = case(BLOCK, &[("free_pages", "v5_9")]);
    let whole = bench.sweep(&old, Limits::default()).unwrap();
    let cut = bench.sweep(&old, Limits { all: false, runs: 2 }).unwrap();
    assert!(cut.cut && cut.runs == 2 && cut.tried < whole.tried);
    let Bench { executor, examiner } = &mut bench;
    executor.session(|session| {
        let mut first = Sweep::new(session, examiner, &old, Limits::default()).unwrap();
        assert!(first.step(session, examiner));
        let mut second = Sweep::new(session, examiner, &old, Limits::default()).unwrap();
        second.go_on_from(first.tried(), first.runs());
        while second.step(session, examiner) {}
        assert_eq!((second.tried(), second.runs()), (whole.tried, whole.runs));
    });
}

/// The sweep is not blind: what is wrong only while somebody has one reference more is found, and not
/// where nothing is planted.
#[cfg(feature = "faults")]
#[test]
fn a_planted_fault_that_takes_a_reference_more_is_found() {
    let freed = "pagerace case v1
subject mm
cpus 1 first 0
setup:
  add mapping=0 index=0
cpu0:
  reclaim mapping=0 index=0
";
    let mut bench = Bench::new();
    let planted = case(freed, &[("fault", "freeze-must-succeed")]);
    assert_eq!(bench.shows(&planted), None, "by itself it passes");
    let swept = bench.sweep(&planted, Limits::default()).unwrap();
    let found: Vec<&String> = swept.hits.keys().collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("panic/") && found[0].ends_with("/spec"), "{found:?}");
    let near_miss = bench.sweep(&case(freed, &[("fault", "none")]), Limits::default()).unwrap();
    assert!(near_miss.hits.is_empty() && near_miss.tried > 0);
}
