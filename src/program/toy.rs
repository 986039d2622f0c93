//! A spec and random cases for the tests of this layer. Nothing here runs.

use super::case::{Action, Case, Decision, Expect, Key, OpId, OpInstance, Place, PolicyGene, Site};
use super::rng::Rng;
use crate::subject::{
    Call, Census, ClassSpec, Done, FieldSpec, Names, OpSpec, OperandSpec, ProfileSpec,
    RetiredSwitch, RightSet, Setup, Spec, Subject, SwitchSpec, VariantSpec,
};
use pagerace_core::sync::{CpuId, Kind};

const BLOCK: u8 = 0;
const PAGE: u8 = 1;

const ORDER: OperandSpec = OperandSpec { name: "order", limit: 4, field: None };
const MAPPING: OperandSpec = OperandSpec { name: "mapping", limit: 2, field: None };
const INDEX: OperandSpec = OperandSpec { name: "index", limit: 8, field: Some(1) };

const fn row(name: &'static str, operands: &'static [OperandSpec]) -> OpSpec {
    let takes = RightSet::NONE;
    OpSpec {
        name,
        doc: "A toy.",
        operands,
        takes,
        gives: None,
        setup: false,
        simpler: &[],
        points: &[],
    }
}

/// Six operations, three fields, two switches, two profiles, three classes.
pub static SPEC: Spec = Spec {
    injected: &[],
    name: "toy",
    ops: &[
        OpSpec { gives: Some(BLOCK), ..row("alloc", &[ORDER]) },
        OpSpec { takes: RightSet::of(&[BLOCK]), ..row("free_pages", &[]) },
        OpSpec { setup: true, ..row("add", &[MAPPING, INDEX]) },
        OpSpec { gives: Some(PAGE), ..row("lookup", &[MAPPING, INDEX]) },
        OpSpec { takes: RightSet::of(&[PAGE]), gives: Some(PAGE), ..row("lock_page", &[ORDER]) },
        OpSpec { takes: RightSet::of(&[BLOCK, PAGE]), ..row("put_page", &[]) },
    ],
    rights: &["block", "page"],
    fields: &[
        FieldSpec { name: "frames", doc: "Frames.", values: &[4, 8, 64], drawn: 2 },
        FieldSpec { name: "indices", doc: "Indices.", values: &[1, 2, 8], drawn: 2 },
        FieldSpec { name: "pcp_batch", doc: "Frames.", values: &[0, 1, 2], drawn: 3 },
    ],
    switches: &[
        SwitchSpec { name: "free_pages", variants: &[variant("fixed"), variant("v5_9")] },
        SwitchSpec { name: "alloc_result", variants: &[variant("frozen"), variant("counted")] },
    ],
    retired: &[RetiredSwitch { name: "careless", neutral: "off", instead: "use the op" }],
    profiles: &[
        ProfileSpec { name: "current", history: &[0, 0] },
        ProfileSpec { name: "old", history: &[1, 1] },
    ],
    races: &[],
    classes: &[class("slot"), class("refcount"), class("zone_lock")],
    outcomes: &[],
    stack: 1 << 16,
};

const fn variant(name: &'static str) -> VariantSpec {
    VariantSpec { name, racy: false, doc: "A toy." }
}

const fn class(name: &'static str) -> ClassSpec {
    ClassSpec { name, refcount: false }
}

/// A subject that does nothing.
pub struct Toy;

impl Subject for Toy {
    type Right = ();

    fn spec() -> &'static Spec {
        &SPEC
    }

    fn new(_: &Setup<'_>) -> Self {
        Self
    }

    fn reset(&mut self, _: &Setup<'_>) -> bool {
        false
    }

    fn name(&self, _: &mut Names) {}

    fn kind((): &()) -> u8 {
        BLOCK
    }

    fn execute(&self, _: CpuId, _: Call<()>) -> Done<()> {
        Done::Failed
    }

    fn give_back(&self, _: CpuId, (): ()) {}

    fn drain(&self, _: CpuId) {}

    fn census(&self, _: &mut Census) {}
}

fn site(rng: &mut Rng) -> Site {
    match rng.below(4) {
        0 => Site::Nth(rng.bits() as u16),
        1 => Site::Named {
            class: rng.below(3) as u8,
            kind: rng.pick(&Kind::ALL),
            nth: rng.bits() as u8,
        },
        _ => Site::Nth(rng.below(20) as u16),
    }
}

/// Any case of [`SPEC`], drawn far wider than the generator draws: all CPUs, scale values, named
/// sites, references between all operations, many decisions.
pub fn any_case(rng: &mut Rng) -> Case {
    let mut case = Case::empty(&SPEC);
    case.cpus = 1 + rng.below(4) as u8;
    case.first = rng.below(4) as u8;
    case.policy = PolicyGene::of(rng.below(256), rng.bits() as u16, rng.bits() as u8);
    for (value, field) in case.fields.iter_mut().zip(SPEC.fields) {
        *value = rng.pick(field.values);
    }
    let ops = if rng.chance(16) { 64 } else { rng.below(10) };
    for _ in 0..ops {
        let place = match rng.below(5) {
            0 => Place::Setup,
            cpu => Place::Cpu(cpu as u8 - 1),
        };
        let right = rng.chance(192).then(|| OpId(rng.below(ops) as u8));
        let operands = [rng.below(256) as u32, rng.below(256) as u32];
        case.ops.push(OpInstance { place, op: rng.bits() as u8, operands, right });
    }
    let decisions = if rng.chance(16) { 500 } else { rng.below(8) };
    for _ in 0..if ops == 0 { 0 } else { decisions } {
        let at = Key { op: OpId(rng.below(ops) as u8), site: site(rng) };
        let action = match rng.below(5) {
            4 => Action::Fail,
            cpu => Action::Run(cpu as u8),
        };
        case.decisions.push(Decision { at, action });
    }
    case.fit(&SPEC);
    case
}

/// [`any_case`], with what only text carries.
pub fn any_kept_case(rng: &mut Rng) -> Case {
    let mut case = any_case(rng);
    case.set_profile(rng.pick(&[&SPEC.profiles[0], &SPEC.profiles[1]]));
    case.expect = match rng.below(3) {
        0 => None,
        1 => Some(Expect::Pass),
        _ => Some(Expect::Finding("leak/lookup race".to_owned())),
    };
    case
}
