//! The scenes of the golden files: what each prints, and how it comes to that.
//!
//! What it is not: how they are run.

mod cache;
mod collapse;
mod drain;
mod frag;
mod gigantic;
mod migrate;
mod offline;
mod outside;
mod poison;
mod tables;

use crate::subject::mm::tables::Op;
use pagerace_core::sync::Kind;

/// Operations of one CPU. One that takes a right takes the latest that fits.
pub(super) type Program = &'static [(Op, [u32; 2])];

/// Where a CPU lets the other one run: before the n-th access of a kind since there are two.
pub(super) type Turn = (usize, Kind, usize);

/// As first operand: the schedule fails the allocation.
pub(super) const FAILING: u32 = 9;

/// A program of CPU 0, whose last operation is printed, and perhaps company.
pub(super) struct Scene {
    pub name: &'static str,
    pub frames: u32,
    pub pcp_batch: u32,
    /// What is set apart from the profile: switches and variants.
    pub set: &'static [(&'static str, &'static str)],
    pub ops: Program,
    /// How many of `ops` come before CPU 1 begins.
    pub before: usize,
    /// CPU 1's program.
    pub other: Program,
    /// In the order in which they come; the CPU of the first begins. A profile whose sequence differs
    /// may pass one by.
    pub turns: &'static [Turn],
}

const fn scene(name: &'static str, ops: Program) -> Scene {
    Scene {
        name,
        frames: 8,
        pcp_batch: 0,
        set: &[],
        ops,
        before: ops.len() - 1,
        other: &[],
        turns: &[],
    }
}

impl Scene {
    const fn frames(self, frames: u32) -> Self {
        Self { frames, ..self }
    }

    const fn lists(self, pcp_batch: u32) -> Self {
        Self { pcp_batch, ..self }
    }

    const fn under(self, set: &'static [(&'static str, &'static str)]) -> Self {
        Self { set, ..self }
    }

    const fn with(self, other: Program, turns: &'static [Turn]) -> Self {
        Self { other, turns, ..self }
    }

    const fn after(self, before: usize) -> Self {
        Self { before, ..self }
    }
}

/// Neither order, index nor frame.
const NO: [u32; 2] = [0, 0];
/// A pair and four pages as orders, all of memory too. As a number of pages, one more than the number.
const PAIR: [u32; 2] = [1, 0];
const FOUR: [u32; 2] = [2, 0];
const ALL: [u32; 2] = [3, 0];

/// The scenes by golden file.
pub(super) const GROUPS: &[(&str, &[Scene])] = &[
    ("cache", cache::SCENES),
    ("collapse", collapse::SCENES),
    ("drain", drain::SCENES),
    ("frag", frag::SCENES),
    ("gigantic", gigantic::SCENES),
    ("migrate", migrate::SCENES),
    ("offline", offline::SCENES),
    ("outside", outside::SCENES),
    ("poison", poison::SCENES),
    ("tables", tables::SCENES),
];
