//! What tasks announce and do: as lines for people, and as one number that tells runs apart.
//!
//! What it is not: kept by default. Lines are recorded where a finding is to be shown.

use crate::exec::policy::Pending;
use crate::explore::schedule::Place;
use crate::subject::ObjectId;
use pagerace_core::sync::Kind;
use std::panic::Location;

/// What a task says of an access before it makes it.
#[derive(Clone, Copy, Default, Debug)]
pub(in crate::explore) struct Announced {
    pub object: Option<ObjectId>,
    /// What it is called; the kind's name if nothing better was said.
    pub word: Option<&'static str>,
    /// The line of the user's that makes it.
    pub at: Option<&'static Location<'static>>,
    /// A number for that line, the same in every run.
    pub site: u32,
}

/// Something a task did.
#[derive(Clone, Copy, Debug)]
pub(in crate::explore) enum Did {
    /// Made the access that it had announced.
    Access { kind: Kind, old: u64, new: u64 },
    /// Could not go on with it.
    Waits,
    /// Let another one go on, because it was `chosen` or by itself.
    Switches { at: Place, to: usize, chosen: bool },
    /// Started a task.
    Spawns(usize),
    /// Panicked.
    Panics,
    /// Ended.
    Ends,
}

/// What was done, by whom.
#[derive(Clone, Copy, Debug)]
pub(in crate::explore) struct Line {
    pub task: usize,
    /// What the task had announced last.
    pub what: Announced,
    pub did: Did,
}

/// A number for the accesses of a run so far, in their order. Their values are no part of it: they may
/// be addresses.
#[derive(Clone, Copy, Default)]
pub(super) struct Hash(u64);

impl Hash {
    pub fn add(&mut self, by: usize, access: &Pending, changed: bool) {
        let object =
            access.object.map_or(0, |o| 1 + (u64::from(o.class()) << 16 | u64::from(o.instance())));
        let what =
            (by as u64) << 40 | (access.kind as u64) << 33 | u64::from(changed) << 32 | object;
        // Multiplied twice, so that each bit reaches all of the next round.
        self.0 = (self.0.rotate_left(23) ^ what).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 =
            (self.0 ^ self.0 >> 32 ^ u64::from(access.site)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    }

    pub fn value(self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}
