//! Where the CPUs' programs are: who could run, who waits, who has ended.
//!
//! What it is not: a decision. It says who could run and who goes on when nobody decides.

use pagerace_core::sync::{MAX_CPUS, MAX_WATCHED, Waiting};
use std::cell::Cell;

/// Where a CPU's program is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CpuState {
    /// It has no program, or has ended.
    Ended,
    /// It has not been handed control yet.
    Fresh,
    /// It runs, or could.
    Ready,
    /// It cannot go on until one of these objects is released, woken or changed.
    Waiting { addrs: [usize; MAX_WATCHED], waiting: Waiting },
}

/// The states of all CPUs.
pub(super) struct Cpus {
    states: [Cell<CpuState>; MAX_CPUS],
    /// Which of them could run, and which wait, as bits: asked for at every access.
    enabled: Cell<u8>,
    waiting: Cell<u8>,
    /// Who goes on when a CPU ends or waits: the first of these that is enabled.
    order: Cell<[u8; MAX_CPUS]>,
}

impl Cpus {
    pub(super) fn new() -> Self {
        Self {
            states: [const { Cell::new(CpuState::Ended) }; MAX_CPUS],
            enabled: Cell::new(0),
            waiting: Cell::new(0),
            order: Cell::new([0; MAX_CPUS]),
        }
    }

    /// All have ended.
    pub(super) fn clear(&self) {
        for state in &self.states {
            state.set(CpuState::Ended);
        }
        self.enabled.set(0);
        self.waiting.set(0);
    }

    /// In which order CPUs go on when one ends or waits.
    pub(super) fn set_order(&self, order: [u8; MAX_CPUS]) {
        self.order.set(order);
    }

    #[inline]
    pub(super) fn state(&self, cpu: usize) -> CpuState {
        self.states[cpu].get()
    }

    pub(super) fn set(&self, cpu: usize, state: CpuState) {
        self.states[cpu].set(state);
        let with = |bits: u8, holds: bool| bits & !(1 << cpu) | u8::from(holds) << cpu;
        let runs = matches!(state, CpuState::Fresh | CpuState::Ready);
        self.enabled.set(with(self.enabled.get(), runs));
        let waits = matches!(state, CpuState::Waiting { .. });
        self.waiting.set(with(self.waiting.get(), waits));
    }

    /// CPUs that could run now, as bits.
    #[inline]
    pub(super) fn enabled(&self) -> u8 {
        self.enabled.get()
    }

    #[inline]
    pub(super) fn anyone_waiting(&self) -> bool {
        self.waiting.get() != 0
    }

    /// Who goes on when nobody decides.
    pub(super) fn next_in_order(&self) -> Option<usize> {
        let enabled = self.enabled.get();
        self.order.get().into_iter().map(usize::from).find(|cpu| enabled >> cpu & 1 == 1)
    }
}
