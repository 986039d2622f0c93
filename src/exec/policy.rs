//! Policies: what happens at a point for which the case has no decision of its own.
//!
//! All draws are keyed by (seed, cpu, operation, point), so editing one operation of a case leaves
//! the others' draws alone.
//!
//! What it is not: it never overrides a decision of the case, and a CPU that ends or waits is always
//! followed by the lowest enabled one, whatever the policy.

mod api;
mod walk;

pub use api::{Expected, MAX_TASKS, Pending, Policy, Start, TaskSet, View};
pub use walk::Walk;

use super::sites::Sites;
use crate::program::Policy as Gene;
use pagerace_core::sync::MAX_CPUS;

/// A priority that no draw exceeds.
const TOP: u32 = u32::MAX;

/// The state of a policy during one run.
#[derive(Clone, Debug)]
pub(super) struct PolicyState {
    policy: Gene,
    /// Priority of each CPU's pending access (POS only).
    priority: [u32; MAX_CPUS],
    /// Counts redraws, so that each gives another value.
    redraws: u32,
}

/// The place of a draw.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub cpu: usize,
    pub op: u8,
    pub point: u16,
}

fn mix(mut z: u64) -> u64 {
    // The finalizer of splitmix64 (Steele, Lea, Flood 2014).
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn draw(seed: u16, at: At, salt: u32) -> u32 {
    let key = u64::from(seed) << 48
        | u64::from(salt) << 28
        | (at.cpu as u64) << 26
        | u64::from(at.op) << 16
        | u64::from(at.point);
    (mix(key.wrapping_add(0x9E37_79B9_7F4A_7C15)) >> 32) as u32
}

impl PolicyState {
    pub(super) fn new() -> Self {
        Self { policy: Gene::Stay, priority: [0; MAX_CPUS], redraws: 0 }
    }

    pub(super) fn begin(&mut self, policy: Gene) {
        self.policy = policy;
        self.redraws = 0;
        if let Gene::Pos { seed } = policy {
            for cpu in 0..MAX_CPUS {
                self.priority[cpu] = draw(seed, At { cpu, op: u8::MAX, point: 0 }, 0);
            }
        }
    }

    /// The CPU that should run, given that `at.cpu` runs and has just announced an access. `enabled`
    /// has a bit for each CPU that could.
    pub(super) fn choose(&mut self, at: At, enabled: u8) -> usize {
        match self.policy {
            Gene::Stay => at.cpu,
            Gene::Walk { seed, rate } => {
                let draw = draw(seed, at, 0);
                let stays = draw & ((2 << (rate % 5)) - 1) != 0;
                let others = enabled & !(1 << at.cpu);
                if stays || others == 0 {
                    return at.cpu;
                }
                let nth = (draw >> 8) % others.count_ones();
                (0..MAX_CPUS)
                    .filter(|cpu| others >> cpu & 1 == 1)
                    .nth(nth as usize)
                    .expect("nth is below the number of bits")
            }
            Gene::Pos { seed } => {
                self.priority[at.cpu] = draw(seed, at, 0);
                (0..MAX_CPUS)
                    .filter(|cpu| enabled >> cpu & 1 == 1)
                    .max_by_key(|&cpu| (self.priority[cpu], TOP - cpu as u32))
                    .expect("the running CPU is enabled")
            }
        }
    }

    /// `by` has performed its access: what conflicts with it is drawn again.
    #[inline(never)]
    pub(super) fn performed(&mut self, by: usize, sites: &Sites) {
        let Gene::Pos { seed } = self.policy else { return };
        let done = sites.pending(by);
        for cpu in 0..MAX_CPUS {
            let other = sites.pending(cpu);
            let conflicts = cpu != by
                && sites.is_live(cpu)
                && other.object == done.object
                && !(other.kind.is_read() && done.kind.is_read());
            if conflicts {
                self.redraws += 1;
                let at = At { cpu, op: other.op, point: other.point };
                self.priority[cpu] = draw(seed, at, self.redraws);
            }
        }
    }
}
