//! Per-CPU slots.
//!
//! What it is not: a guard against the wrong CPU. Linux reaches into other CPUs' slots too (remote
//! drain); which slot is meant is said at each use.

use super::{CpuId, MAX_CPUS};

/// One `T` for each CPU.
#[derive(Debug, Default)]
pub struct PerCpu<T>([T; MAX_CPUS]);

impl<T> PerCpu<T> {
    /// Slots made by `f` from their index.
    pub fn from_fn(f: impl FnMut(usize) -> T) -> Self {
        Self(core::array::from_fn(f))
    }

    /// The slot of `cpu`.
    #[inline(always)]
    pub fn of(&self, cpu: CpuId) -> &T {
        &self.0[cpu.index()]
    }

    /// All slots, with their CPUs.
    pub fn iter(&self) -> impl Iterator<Item = (CpuId, &T)> {
        self.0.iter().enumerate().map(|(cpu, slot)| (CpuId::new(cpu), slot))
    }

    /// All slots, for resetting between two runs.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }
}
