//! What can be put under test: a table of operations over shared state.
//!
//! A [`Subject`] is written against [`pagerace_core::sync`] and described by a static [`Spec`]: its
//! operations, set-up fields, switches and objects. Everything else in pagerace (generator, codecs,
//! executor, minimizer, reports) works on the spec and never knows an operation by name.
//!
//! What it is not: it neither runs cases nor judges them.

pub mod census;
pub mod mm;
pub mod names;
pub mod spec;

pub use census::{Census, FreeBlock};
pub use names::{Names, ObjectId};
pub use spec::{
    ClassSpec, FieldSpec, InjectedSpec, OpSpec, OperandSpec, OutcomeSpec, ProfileSpec, RaceSpec,
    RetiredSwitch, RightKind, RightSet, Spec, SwitchSpec, VariantSpec,
};

use pagerace_core::sync::CpuId;

/// The most static operands an operation takes.
pub const MAX_OPERANDS: usize = 2;

/// How an operation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Done<R> {
    /// It did what it says, and may have produced a right.
    Ok(Option<R>),
    /// It ran and failed as it may (no memory, nothing cached there).
    Failed,
    /// It does not apply now and touched nothing; an operand right is handed back.
    Skipped(Option<R>),
}

/// One operation with its operands, ready to run.
#[derive(Clone, Copy, Debug)]
pub struct Call<R> {
    /// Index into [`Spec::ops`]; behind those, one into [`Spec::injected`].
    pub op: usize,
    /// Static operands, in the order of the spec; unused ones are zero. Below their spec's limit,
    /// but not yet reduced to the sizes of the case: the subject takes them modulo those.
    pub operands: [u32; MAX_OPERANDS],
    /// The right taken, if the operation takes one.
    pub right: Option<R>,
}

/// The part of a case that a subject is set up from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setup<'a> {
    /// How many CPUs run programs.
    pub cpus: usize,
    /// The value of each field of [`Spec::fields`].
    pub fields: &'a [u32],
    /// The index of the variant of each switch of [`Spec::switches`].
    pub history: &'a [u8],
}

/// A thing under test.
///
/// Its shared state is reached by all tasks of a run through `&self`, hence atomics, locks and
/// guarded fields only. It keeps no references into itself and relies on no destructor: a run may be
/// cut by unwinding at any access, after which the state is reset.
pub trait Subject: Sized + 'static {
    /// What operations produce and consume. Linear: one value is consumed at most once. It may be held
    /// for ever: no other operation may have to wait for its being given back.
    type Right: Copy + core::fmt::Debug;

    /// The tables.
    fn spec() -> &'static Spec;

    /// A new state, allocated for cases like `setup`; [`Subject::reset`] follows.
    fn new(setup: &Setup<'_>) -> Self;

    /// Makes the state that a case starts from. Called outside any run. Returns whether objects
    /// moved in memory (because the sizes grew), so that they have to be named again.
    fn reset(&mut self, setup: &Setup<'_>) -> bool;

    /// Names every object that code under test accesses.
    fn name(&self, names: &mut Names);

    /// The kind of a right, for matching operands.
    fn kind(right: &Self::Right) -> RightKind;

    /// Runs one operation on `cpu`.
    fn execute(&self, cpu: CpuId, call: Call<Self::Right>) -> Done<Self::Right>;

    /// Gives a right back through the ordinary interface, at the end of a case.
    fn give_back(&self, cpu: CpuId, right: Self::Right);

    /// Gives back what the subject itself still holds for its clients (cached pages, deferred work,
    /// per-CPU lists). Called once on CPU 0 after all rights were given back. Without a body of its
    /// own: nothing is cached or deferred.
    fn drain(&self, _cpu: CpuId) {}

    /// Counts by walking the real structures. Called at quiescence, outside any run.
    fn census(&self, census: &mut Census);
}
