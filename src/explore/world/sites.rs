//! Numbers for lines of code, the same in every run and process.
//!
//! What it is not: free of collisions. Two lines that share a number look like one to a policy.

use std::cell::Cell;
use std::panic::Location;

const SLOTS: usize = 256;

/// The numbers of the lines met last, by where the compiler put them: hashing a path costs more than an
/// access. The addresses stay in here.
pub(super) struct Sites([Cell<(usize, u32)>; SLOTS]);

impl Sites {
    pub const fn new() -> Self {
        Self([const { Cell::new((0, 0)) }; SLOTS])
    }

    /// The number of this line and column.
    #[inline]
    pub fn number(&self, at: &'static Location<'static>) -> u32 {
        let addr = std::ptr::from_ref(at).addr();
        let slot = &self.0[(addr / align_of::<Location<'_>>()) % SLOTS];
        let (known, number) = slot.get();
        if known == addr {
            return number;
        }
        let number = number_of(at);
        slot.set((addr, number));
        number
    }
}

fn number_of(at: &Location<'_>) -> u32 {
    // FNV-1a.
    let mut hash = 0x811c_9dc5_u32;
    let (line, column) = (at.line().to_le_bytes(), at.column().to_le_bytes());
    for byte in at.file().bytes().chain(line).chain(column) {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    hash
}
