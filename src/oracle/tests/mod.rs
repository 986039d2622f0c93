//! Each oracle is shown a run that violates and a near miss of the same operations.
//!
//! What it is not: evidence about any subject. The runs are written by hand.

use super::testing::Script;
use pagerace_core::event::Holder;

mod lists;
mod memory;
mod references;
mod time;
mod verdict;

/// The race: a block of four with a reference that `holder` took in vain, dropped last. The owner's
/// put is not the last; then the parts that `tails` says are freed, and by the last put the head.
fn last_put_by(holder: Holder, compound: bool, tails: &[(u32, u8)], head_order: u8) -> Script {
    let mut s = Script::new();
    s.cpu(1).op_start().alloc(4, 2, compound);
    s.cpu(0).op_start().get(4, holder);
    s.cpu(1).put(4, Holder::Owner);
    for &(f, order) in tails {
        s.free(f, order);
    }
    s.op_end();
    s.cpu(0).put(4, holder).free(4, head_order).op_end();
    s
}
