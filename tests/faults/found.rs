//! Each planted fault is found as what it is, names the frames it is about, and is reduced to a case
//! whose operations are not reported where nothing is planted.

use super::witness::{disagrees, falsified};
use super::{Hunt, budget, replant};
use pagerace::campaign::Discovery;
use pagerace::examine::Examiner;
use pagerace::exec::{Ending, Executor};
use pagerace::oracle::{Class, Kind};
use pagerace::subject::mm::{MmSubject, SPEC};
use pagerace_core::mm::Fault;
use std::fmt::Write as _;

/// Cases for one fault with one size of the per-CPU lists.
const BUDGET: u64 = 60_000;

/// The first finding of the class, with the size of the per-CPU lists that it took: a fault in their
/// overflow shows only where there are such lists.
fn hunt(fault: &str, class: Class) -> Option<Discovery> {
    [0, 1, 2].into_iter().find_map(|batch| {
        let cases = budget(fault, BUDGET);
        let hunt = Hunt { until: Some(class), reduce: true, ..Hunt::with_fault(fault, cases) };
        let (_, found) = hunt.field("pcp_batch", batch).run::<MmSubject>();
        found.into_iter().rfind(|d| d.finding.class == class && d.reduced.is_some())
    })
}

#[test]
fn each_fault_is_found_and_its_case_passes_without_it() {
    let mut table = String::new();
    let mut wrong = Vec::new();
    let (mut executor, mut examiner) = (Executor::<MmSubject>::new(), Examiner::new(&SPEC));
    for &(_, fault, expected, _) in Fault::ALL {
        let class = Class::ALL.into_iter().find(|c| c.name() == expected).expect("a class");
        let Some(found) = hunt(fault, class) else {
            wrong.push(format!("{fault} is not found as {expected}"));
            continue;
        };
        let case = found.reduced.as_ref().expect("it was reduced");
        writeln!(
            table,
            "{fault:26} {:54} {:10} {:>6} {} ops",
            found.finding.signature,
            found.kind,
            found.execution,
            case.ops.len(),
        )
        .expect("a string");
        let again = executor.session(|session| {
            let kind = examiner.kind(session, case).0;
            examiner.examine(session, case).map(|finding| (finding, kind))
        });
        match again {
            Some((finding, kind)) if finding.signature == found.finding.signature => {
                if kind != found.kind {
                    wrong.push(format!("{fault} is {kind} once it is reduced"));
                }
                if let Some(what) = disagrees(executor.last(), &finding) {
                    wrong.push(format!("{fault}: {what}"));
                }
                let false_one = falsified(&finding);
                if false_one.is_some_and(|f| disagrees(executor.last(), &f).is_none()) {
                    wrong.push(format!("{fault}: a false witness is believed"));
                }
            }
            other => wrong.push(format!("{fault}, reduced, shows {other:?}")),
        }
        let sound = replant(case, "none");
        let near_miss = executor.session(|session| {
            let finding = examiner.examine(session, &sound);
            let (kind, _) = examiner.kind(session, &sound);
            (finding, kind)
        });
        if near_miss != (None, Kind::Race) || executor.run(&sound).ending != Ending::Quiescent {
            wrong.push(format!("without {fault} its case shows {near_miss:?}"));
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Which frames: told by the block that was allocated, what is missing of it, and who gave it up.
#[test]
fn a_leak_names_the_lost_frames_and_who_gave_them_up() {
    let found = hunt("expand-loses-half", Class::Leak).expect("it is found");
    let [lost] = found.finding.facts.lost.as_slice() else { panic!("{:?}", found.finding) };
    assert!(lost.block.is_none() && !lost.frames.is_empty(), "nobody ever allocated it: {lost:?}");
    let found = hunt("retry-keeps-reference", Class::Leak).expect("it is found");
    let [lost] = found.finding.facts.lost.as_slice() else { panic!("{:?}", found.finding) };
    assert_eq!(lost.block.map(|(frame, _)| vec![frame]), Some(lost.frames.clone()));
    assert!(lost.allocated.is_some() && !lost.dropped.is_empty() && lost.freed_instead.is_empty());
    let found = hunt("halves-freed", Class::DoubleFree).expect("it is found");
    assert!(found.finding.facts.frames.len().is_power_of_two());
    assert!(found.finding.facts.allocated.is_some());
}

#[test]
fn where_nothing_is_planted_nothing_is_found() {
    let (summary, found) = Hunt::with_fault("none", BUDGET).run::<MmSubject>();
    assert_eq!(summary.executions, BUDGET);
    assert!(found.is_empty(), "{found:?}");
}
