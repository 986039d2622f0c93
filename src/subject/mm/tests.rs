//! The subject `mm`, one operation after the other, on both backends.

use super::tables::{Op, SPEC};
use super::*;
use pagerace_core::sync::Native;

const CPUS: usize = 2;

/// A small generator of numbers: what is drawn does not matter, only that it repeats.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn profile(name: &str) -> &'static [u8] {
    SPEC.profile(name).expect("a profile of the spec").history
}

/// Runs `ops` random operations in sequence, gives everything back, and counts.
fn run<B: Backend>(memory: &Memory<B>, seed: u64, ops: usize) -> (Census, Vec<usize>)
where
    Memory<B>: Machine,
{
    let mut draw = Draw(seed);
    let mut held: Vec<Right> = Vec::new();
    let mut done = vec![0; Op::ALL.len()];
    for _ in 0..ops {
        let op = draw.below(Op::ALL.len());
        let spec = &SPEC.ops[op];
        let operands = core::array::from_fn(|at| {
            spec.operands.get(at).map_or(0, |operand| draw.below(operand.limit as usize) as u32)
        });
        let fits =
            held.iter().position(|right| spec.takes.has(<MmSubject as Subject>::kind(right)));
        let right = fits.filter(|_| !spec.takes.is_empty()).map(|at| held.swap_remove(at));
        let cpu = CpuId::new(draw.below(CPUS));
        match execute(memory, cpu, Call { op, operands, right }) {
            Done::Ok(right) => {
                if let Some(right) = &right {
                    assert_eq!(
                        spec.gives,
                        Some(<MmSubject as Subject>::kind(right)),
                        "{}",
                        spec.name
                    );
                }
                held.extend(right);
                done[op] += 1;
            }
            Done::Skipped(right) => held.extend(right),
            Done::Failed => {}
        }
    }
    while let Some(right) = held.pop() {
        give_back(memory, CpuId::new(0), right);
    }
    memory.drain(CpuId::new(0));
    let mut counted = Census::default();
    census(memory, &mut counted);
    (counted, done)
}

fn assert_whole(counted: &Census) {
    let whole = FreeBlock {
        frame: FrameNumber(0),
        order: counted.max_order,
        list: pagerace_core::event::FreeList::Buddy,
    };
    let blocks = counted.frames / counted.max_order.frames();
    assert_eq!(counted.free.len(), blocks, "fully coalesced: {:?}", counted.free);
    assert!(counted.free.iter().all(|b| b.order == whole.order && b.list == whole.list));
    assert!(counted.refcounts.iter().all(|&count| count == 0));
    assert!(counted.cached.is_empty() && counted.quarantined.is_empty());
    assert_eq!([counted.broken.as_slice(), &counted.miscounted], [&[] as &[&str]; 2]);
}

fn setups() -> impl Iterator<Item = [u32; 4]> {
    [4, 8, 16].into_iter().flat_map(|frames| {
        [0, 1, 2].into_iter().flat_map(move |batch| {
            [[1, 1], [1, 2], [2, 4]].map(move |[maps, indices]| [frames, batch, maps, indices])
        })
    })
}

#[test]
fn sequential_programs_conserve_all_frames_under_every_profile() {
    let mut done = vec![0; Op::ALL.len()];
    for profile in SPEC.profiles {
        for fields in setups() {
            let setup = Setup { cpus: CPUS, fields: &fields, history: profile.history };
            let mut controlled = <MmSubject as Subject>::new(&setup);
            let native = Memory::<Native>::new(sizes(&setup), history(&setup));
            for seed in 0..20 {
                Subject::reset(&mut controlled, &setup);
                let (counted, ran) = run(&controlled, seed, 60);
                assert_whole(&counted);
                for (sum, n) in done.iter_mut().zip(ran) {
                    *sum += n;
                }
            }
            assert_whole(&run(&native, 1, 2000).0);
        }
    }
    for (op, count) in Op::ALL.iter().zip(done) {
        assert!(count > 0, "{op:?} never did anything");
    }
}

#[test]
fn both_backends_end_in_the_same_state() {
    for fields in setups() {
        let setup = Setup { cpus: CPUS, fields: &fields, history: profile("current") };
        let controlled = <MmSubject as Subject>::new(&setup);
        let native = Memory::<Native>::new(sizes(&setup), history(&setup));
        assert_eq!(run(&controlled, 7, 500), run(&native, 7, 500));
    }
}

#[test]
fn reset_is_the_same_as_new_and_says_whether_objects_moved() {
    let setup = |fields| Setup { cpus: CPUS, fields, history: profile("current") };
    let (small, large) = ([4, 2, 1, 1], [16, 0, 2, 4]);
    let mut memory = <MmSubject as Subject>::new(&setup(&small));
    run(&memory, 3, 100);
    assert!(Subject::reset(&mut memory, &setup(&large)), "it had to grow");
    run(&memory, 3, 100);
    assert!(!Subject::reset(&mut memory, &setup(&small)), "it had room");
    let fresh = <MmSubject as Subject>::new(&setup(&small));
    assert_eq!(run(&memory, 5, 100), run(&fresh, 5, 100));
}

#[test]
fn every_object_has_a_name_of_its_own() {
    for &frames in SPEC.fields[0].values {
        let fields = [frames, 2, 2, 4];
        let setup = Setup { cpus: 4, fields: &fields, history: profile("current") };
        let memory = <MmSubject as Subject>::new(&setup);
        let mut names = Names::new();
        Subject::name(&memory, &mut names);
    }
}

#[test]
fn profiles_are_the_settings_of_their_releases() {
    for (name, history) in [
        ("current", History::CURRENT),
        ("linux-6.2", History::LINUX_6_2),
        ("linux-5.10", History::LINUX_5_10),
        ("linux-5.9", History::LINUX_5_9),
    ] {
        let setup = Setup { cpus: 1, fields: &[4, 0, 1, 1], history: profile(name) };
        assert_eq!(super::history(&setup), history);
    }
    assert_eq!(SPEC.profiles[0].name, "current");
}

#[test]
fn what_only_one_variant_does_names_a_variant() {
    for outcome in SPEC.outcomes {
        let Some((switch, variant)) = outcome.only else { continue };
        assert!(SPEC.variant(switch, variant).is_some(), "{}", outcome.name);
    }
    let retired = |name: &str| SPEC.switches.iter().all(|switch| switch.name != name);
    assert!(SPEC.retired.iter().all(|switch| retired(switch.name)));
}

#[test]
fn every_race_shows_itself_by_a_signature_of_its_own() {
    let signatures: std::collections::BTreeSet<_> =
        SPEC.races.iter().map(|r| r.signature).collect();
    assert_eq!(signatures.len(), SPEC.races.len());
    for race in SPEC.races {
        assert!(!race.also.contains(&race.signature), "{}", race.name);
    }
}

#[test]
fn documented_races_name_racy_variants_and_each_racy_variant_is_documented() {
    use pagerace_core::mm::history::RACES;
    for race in RACES {
        let (switch, variant) = SPEC.variant(race.switch, race.variant).expect("a variant");
        assert!(SPEC.switches[switch].variants[usize::from(variant)].racy);
    }
    for switch in SPEC.switches.iter().filter(|switch| switch.name != "fault") {
        for variant in switch.variants.iter().filter(|variant| variant.racy) {
            let on_record = |r: &&_| -> bool {
                let race: &pagerace_core::mm::history::Race = r;
                race.switch == switch.name && race.variant == variant.name
            };
            assert!(RACES.iter().any(|race| on_record(&race)), "{}", variant.name);
        }
    }
}

#[test]
fn each_race_is_told_once_with_its_steps_its_symptom_its_oracle_and_its_fix() {
    let parts = ["\n1 ", "\n\nSymptom: ", "\nOracle: ", "\nFix: "];
    for race in SPEC.races {
        let doc = race.doc;
        // The first step may be the second column's.
        let doc =
            doc.lines().map(str::trim_start).fold(String::new(), |text, line| text + line + "\n");
        let at =
            parts.map(|part| doc.find(part).unwrap_or_else(|| panic!("{}: {part:?}", race.name)));
        assert!(at.is_sorted(), "{}", race.name);
        assert!(race.doc.lines().all(|line| line.chars().count() <= 92), "{}", race.name);
        for commit in [race.introduced, race.fixed].into_iter().filter(|commit| *commit != "-") {
            assert!(doc.contains(commit), "{} names {commit}", race.name);
        }
        let class = race.signature.split('/').next().expect("a part");
        assert!(doc.contains(&format!("(`{class}`)")), "{} names {class}", race.name);
        let others = SPEC.races.iter().filter(|other| other.doc == race.doc);
        assert_eq!(others.count(), 1, "{}", race.name);
    }
}

#[cfg(feature = "faults")]
mod faults {
    //! That each planted fault is wired to its name: where one CPU suffices to reach it, the same
    //! programs leave another trail with it than without. Whether it is found, and as what, is for the
    //! oracles.

    use super::*;
    use pagerace_core::event::Event;
    use pagerace_core::mm::Fault;
    use pagerace_core::sync::{Access, Hook, Kind, Waiting};
    use std::cell::RefCell;

    /// Faults in what a CPU does only when another one was in between.
    const NEED_COMPANY: &[Fault] = &[
        Fault::RetryKeepsReference,
        Fault::UnlockNoWake,
        Fault::WaiterUnannounced,
        Fault::WritebackNoWake,
        Fault::RetryNeverReloads,
        Fault::MismatchNeverReloads,
        Fault::MismatchPanics,
        Fault::GraceSkipped,
        Fault::SleepUnderNodeLock,
        Fault::TailsUncounted,
    ];

    #[derive(Debug, PartialEq)]
    enum Mark {
        Access(usize, Kind),
        Event(Event),
    }

    #[derive(Default)]
    struct Trail(RefCell<Vec<Mark>>);

    impl Hook for Trail {
        fn before(&self, access: Access) {
            self.0.borrow_mut().push(Mark::Access(access.addr, access.kind));
        }
        fn after(&self, _: u64, _: u64) {}
        fn fails(&self) -> bool {
            false
        }
        fn wait(&self, _: &[usize], waiting: Waiting) {
            panic!("one CPU alone has to wait: {waiting:?}");
        }
        fn wake(&self, _: usize) {}
        fn event(&self, event: Event) {
            self.0.borrow_mut().push(Mark::Event(event));
        }
        fn outcome(&self, _: usize) {}
        fn cpu(&self) -> CpuId {
            CpuId::new(0)
        }
    }

    /// What the programs did, and what they left.
    type Left = (Vec<Mark>, Option<(Census, Vec<usize>)>);

    fn trail(trail: &Trail, memory: &mut MmSubject, history: &[u8], seed: u64) -> Left {
        let fields = [8, (seed % 3) as u32, 2, 4];
        Subject::reset(memory, &Setup { cpus: CPUS, fields: &fields, history });
        trail.0.borrow_mut().clear();
        let memory = &*memory;
        // A fault may well make the subject stumble; where it got to is in the trail.
        let run = std::panic::AssertUnwindSafe(|| run(memory, seed, 40));
        let left = std::panic::catch_unwind(run).ok();
        (trail.0.take(), left)
    }

    #[test]
    fn each_fault_does_something_and_only_when_planted() {
        let hook: &'static Trail = Box::leak(Box::default());
        let _installed = Controlled::install(hook);
        let mut history = profile("current").to_vec();
        let at = Switch::Fault as usize;
        let fields = [8, 0, 2, 4];
        let setup = Setup { cpus: CPUS, fields: &fields, history: &history };
        let mut memory = <MmSubject as Subject>::new(&setup);
        let mut wrong = Vec::new();
        for (variant, &(fault, name, ..)) in Fault::ALL.iter().enumerate() {
            let differs = (0..600).any(|seed| {
                history[at] = 0;
                let without = trail(hook, &mut memory, &history, seed);
                history[at] = variant as u8 + 1;
                without != trail(hook, &mut memory, &history, seed)
            });
            if differs == NEED_COMPANY.contains(&fault) {
                wrong.push(name);
            }
            assert_eq!(SPEC.variant("fault", name), Some((at, variant as u8 + 1)));
        }
        assert_eq!(wrong, Vec::<&str>::new());
    }

    #[test]
    fn each_class_has_three_faults() {
        for (_, _, class, _) in Fault::ALL {
            let count = Fault::ALL.iter().filter(|(_, _, other, _)| other == class).count();
            assert!(count >= 3, "{class} has {count}");
        }
        let mut classes: Vec<_> = Fault::ALL.iter().map(|(_, _, class, _)| class).collect();
        classes.dedup();
        assert_eq!(
            classes.len(),
            16,
            "a new class is counted here, and faults stand beside those of theirs: {classes:?}"
        );
    }
}
