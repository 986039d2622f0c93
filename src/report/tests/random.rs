//! What holds of the report of any run and any finding, however little they fit together.

use super::super::page::{Columns, clean};
use super::check;
use super::script::SPEC;
use crate::exec::trace::{Ending, Entry, OpEnd, Phase, Run, StepIndex, SwitchReason, Waiter, What};
use crate::oracle::{Class, Dropped, Facts, Finding, Freed, Kind, Lost, Origin, Signature};
use crate::program::rng::Rng;
use crate::program::{Action, Case, Decision, Key, OpId, OpInstance, Place, Site};
use crate::report::{Report, headline};
use crate::subject::{
    Census, ClassSpec, FieldSpec, FreeBlock, ObjectId, OpSpec, OperandSpec, ProfileSpec, RightSet,
    Spec,
};
use pagerace_core::event::{Context, Event, FrameNumber, FreeList, Holder, Order, RefChange};
use pagerace_core::sync::{CpuId, Kind as Access, MAX_CPUS, Ordering, Waiting};

const LONG: &str =
    "a_name_that_is_longer_than_any_column_and_even_longer_than_a_whole_line_of_the_page";
const ODD: &str = "tab\tbell\u{7}wide\u{8a18}\u{61b6}combining\u{301}right\u{202e}left \u{1b}[2J";

/// A subject whose names are all but names.
static NASTY: Spec = Spec {
    injected: &[],
    name: ODD,
    ops: &[
        OpSpec {
            name: LONG,
            doc: "",
            operands: &[OperandSpec { name: ODD, limit: 4, field: None }],
            takes: RightSet::of(&[0]),
            gives: Some(0),
            setup: true,
            simpler: &[],
            points: &[],
        },
        OpSpec {
            name: ODD,
            doc: "",
            operands: &[],
            takes: RightSet::NONE,
            gives: Some(0),
            setup: true,
            simpler: &[],
            points: &[],
        },
    ],
    rights: &[ODD],
    fields: &[FieldSpec { name: LONG, doc: "", values: &[1, 4096], drawn: 1 }],
    switches: &[],
    retired: &[],
    profiles: &[ProfileSpec { name: LONG, history: &[] }],
    classes: &[ClassSpec { name: LONG, refcount: true }, ClassSpec { name: ODD, refcount: false }],
    races: &[],
    outcomes: &[],
    stack: 0,
};

/// Draws whatever a run or a finding may hold, and what none should.
struct Draw(Rng);

impl Draw {
    fn frame(&mut self) -> FrameNumber {
        FrameNumber(self.0.pick(&[0, 1, 2, 3, 7, 1023, 4095, u32::MAX]))
    }

    fn order(&mut self) -> Order {
        Order(self.0.pick(&[0, 0, 1, 2, 3, 10, 255]))
    }

    fn cpu(&mut self) -> CpuId {
        CpuId::new(self.0.below(MAX_CPUS))
    }

    fn op(&mut self) -> Option<OpId> {
        self.0.chance(230).then(|| OpId(self.0.pick(&[0, 1, 2, 3, 4, 200])))
    }

    fn step(&mut self) -> StepIndex {
        StepIndex(self.0.pick(&[0, 1, 5, 17, 40, 90, 1_000_000]))
    }

    fn object(&mut self) -> Option<ObjectId> {
        let (class, instance) = (self.0.pick(&[0, 1, 2, 77]), self.0.pick(&[0, 1, 4095]));
        self.0.chance(230).then_some(ObjectId::new(class, instance))
    }

    fn text(&mut self) -> &'static str {
        self.0.pick(&["", "check", LONG, ODD, "some words that go on and on, and then on"])
    }

    fn holder(&mut self) -> Holder {
        self.0.pick(&Holder::ALL)
    }

    fn waiting(&mut self) -> Waiting {
        self.0.pick(&[Waiting::Lock, Waiting::Sleep, Waiting::Grace, Waiting::Change])
    }

    fn event(&mut self) -> Event<Option<ObjectId>> {
        let (frame, order, to) = (self.frame(), self.order(), FreeList::Buddy);
        let per_cpu = FreeList::PerCpu(self.cpu());
        let yes = self.0.chance(128);
        let (mapping, index) = (self.0.pick(&[0, 4_000_000_000]), self.0.pick(&[0, 1]));
        let change = self.0.pick(&[
            RefChange::Set,
            RefChange::Get,
            RefChange::TryGet,
            RefChange::Put,
            RefChange::Freeze,
            RefChange::Unfreeze,
            RefChange::Store,
        ]);
        let (count, holder) = (self.0.pick(&[1, 2, i32::MIN]), self.holder());
        let (object, lock, check) = (self.object(), self.object(), self.text());
        match self.0.below(20) {
            0 => Event::PageAlloc { frame, order, compound: yes, from: per_cpu },
            1 => Event::PageFree { frame, order, to: per_cpu },
            2 => Event::PageMove { frame, order, to },
            3 => Event::PageMerge { frame, order },
            4 | 5 => Event::PageRef { frame, change, count, holder, done: yes },
            6 => Event::PageSplit { frame, order },
            7 => Event::CacheAdd { mapping, index, frame },
            8 => Event::CacheDelete { mapping, index, frame },
            9 => Event::LookupStart { mapping, index },
            10 => Event::LookupEnd { mapping, index, frame: yes.then_some(frame), locked: yes },
            11 => Event::LookupRetry { frame },
            12 => Event::PageLock { frame, locked: yes },
            13 => Event::RcuFree { object },
            14 => Event::RcuRead { inside: yes },
            15..=17 => Event::Section { context: Context::Irq, entered: yes },
            18 => Event::Unlocked { field: object, lock },
            _ if yes => Event::BadPage { frame, order, check },
            _ => Event::BugOn { frame, check },
        }
    }

    fn what(&mut self) -> What {
        match self.0.below(16) {
            0 => What::OpStart,
            1 => What::OpEnd(self.0.pick(&[
                OpEnd::Done { gave: true },
                OpEnd::Done { gave: false },
                OpEnd::Failed,
                OpEnd::Skipped,
            ])),
            2..=7 => What::Access {
                object: self.object(),
                kind: self.0.pick(&Access::ALL),
                nth: 1,
                order: Ordering::SeqCst,
                old: self.0.pick(&[0, 1, u64::MAX]),
                new: self.0.pick(&[0, 1, 1 << 60]),
            },
            8..=12 => What::Event(self.event()),
            13 => What::Phase(self.0.pick(&[Phase::Setup, Phase::Programs, Phase::Drain])),
            _ => What::Switch { to: self.cpu(), why: self.reason() },
        }
    }

    fn reason(&mut self) -> SwitchReason {
        let (object, waiting) = (self.object(), self.waiting());
        let waits = SwitchReason::Waits { object, waiting };
        self.0.pick(&[SwitchReason::Chosen, SwitchReason::Ended, waits])
    }

    fn case(&mut self, spec: &Spec) -> Case {
        let mut case = Case::empty(spec);
        case.cpus = 1 + self.0.below(MAX_CPUS) as u8;
        for _ in 0..self.0.below(6) {
            let place = self.0.pick(&[Place::Setup, Place::Cpu(0), Place::Cpu(1), Place::Cpu(3)]);
            let op = self.0.below(spec.ops.len()) as u8;
            case.ops.push(OpInstance { place, op, operands: [0; 2], right: self.op() });
        }
        case.normalize();
        case
    }

    fn run(&mut self, case: &Case) -> Run {
        let mut trace = Vec::new();
        let length = self.0.pick(&[0, 3, 40, 120, 700]);
        if self.0.chance(200) {
            let what = What::Phase(Phase::Programs);
            trace.push(Entry { cpu: self.cpu(), op: None, what });
        }
        for _ in 0..length {
            trace.push(Entry { cpu: self.cpu(), op: self.op(), what: self.what() });
        }
        let waiter = Waiter {
            cpu: self.cpu(),
            op: self.op(),
            object: self.object(),
            waiting: self.waiting(),
        };
        let ending = match self.0.below(5) {
            0 => Ending::Quiescent,
            1 => Ending::Fatal,
            2 => Ending::Deadlock(vec![waiter]),
            3 => Ending::Bound { cpu: self.cpu(), op: self.op() },
            _ => Ending::Panic(self.text().to_owned()),
        };
        let census = Census {
            frames: 4096,
            free: vec![FreeBlock {
                frame: self.frame(),
                order: self.order(),
                list: FreeList::Buddy,
            }],
            refcounts: vec![1, 0, 1],
            broken: vec!["free-count"],
            ..Census::default()
        };
        let at = |op| Key { op: OpId(op as u8), site: Site::Nth(9) };
        let executed = (0..case.ops.len()).map(|op| Decision { at: at(op), action: Action::Fail });
        Run { trace, ending, executed: executed.collect(), census, ..Run::empty(0) }
    }

    fn origin(&mut self) -> Origin {
        Origin { step: self.step(), cpu: self.cpu(), op: self.op() }
    }

    fn dropped(&mut self) -> Dropped {
        let Origin { step, cpu, op } = self.origin();
        Dropped { holder: self.holder(), step, cpu, op }
    }

    fn finding(&mut self) -> Finding {
        let class = self.0.pick(&Class::ALL);
        let frames = (0..self.0.below(4)).map(|_| self.frame()).collect();
        let lost = (0..self.0.below(3)).map(|_| Lost {
            frames: (0..self.0.below(4)).map(|_| self.frame()).collect(),
            block: self.0.chance(200).then(|| (self.frame(), self.order())),
            allocated: self.0.chance(200).then(|| self.origin()),
            dropped: (0..self.0.below(4)).map(|_| self.dropped()).collect(),
            freed_instead: (0..self.0.below(3))
                .map(|_| Freed { at: self.origin(), frame: self.frame(), order: self.order() })
                .collect(),
        });
        let lost = lost.collect();
        let facts = Facts {
            why: self.text(),
            frames,
            lost,
            allocated: self.0.chance(128).then(|| self.origin()),
            dropped_last: self.0.chance(128).then(|| self.dropped()),
            sites: (0..self.0.below(4)).map(|_| self.step()).collect(),
        };
        let signature = Signature::new(class, &[self.text()]);
        Finding { class, signature, at: self.0.chance(170).then(|| self.step()), facts }
    }
}

#[test]
fn every_report_is_written_and_fits_the_page() {
    for seed in 0..3_000 {
        let mut draw = Draw(Rng::nth(1, seed));
        let spec = if draw.0.chance(128) { &NASTY } else { &SPEC };
        let case = draw.case(spec);
        let (run, finding) = (draw.run(&case), draw.finding());
        let kind = draw.0.pick(&[Kind::Race, Kind::Sequential]);
        let replay_command = draw.0.chance(128).then_some(LONG);
        let report =
            Report { spec, case: &case, run: &run, finding: &finding, kind, replay_command };
        let text = report.to_string();
        // The command is one line, the last.
        let command = replay_command.map(|command| format!("  {command}\n"));
        check(text.strip_suffix(command.as_deref().unwrap_or_default()).unwrap());
        assert_eq!(text, report.to_string(), "seed {seed}");
        assert!(headline(&finding, kind).starts_with(finding.class.name()));
    }
}

#[test]
fn wrapping_loses_nothing() {
    let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
    for seed in 0..3_000 {
        let mut draw = Draw(Rng::nth(2, seed));
        let texts: Vec<&str> = (0..draw.0.below(8)).map(|_| draw.text()).collect();
        let text = texts.join(" ");
        for columns in 1..=MAX_CPUS {
            let indent = draw.0.below(4);
            let cell = Columns::new(columns).cell(&text, indent);
            assert_eq!(letters(&cell.concat()), letters(&clean(&text)), "seed {seed}");
        }
    }
}
