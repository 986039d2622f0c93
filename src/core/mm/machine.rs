//! The operations of a [`Memory`], compiled in this crate for both backends.
//!
//! Generic code is compiled by the crate that instantiates it. Coverage is instrumented for this crate
//! only, so whoever drives a memory calls its operations through [`Machine`], whose two
//! implementations are not generic: all of `mm` that an operation reaches then lies here.
//! `ci/check-coverage-scope.sh` counts.
//!
//! What it is not: behaviour, or an abstraction over memories.

use super::{Memory, Sizes};
use crate::event::{FrameNumber, Holder, Order};
use crate::sync::{Controlled, CpuId, Native};

/// Declares the trait and forwards to the methods of the same names.
macro_rules! machine {
    ($($name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        /// A memory to drive. Each method is the one of [`Memory`] of the same name.
        pub trait Machine {
            /// See [`Memory::sizes`].
            fn sizes(&self) -> &Sizes;
            /// See [`Memory::max_order`].
            fn max_order(&self) -> Order;
            $(
                #[doc = concat!("See [`Memory::", stringify!($name), "`].")]
                fn $name(&self, $($arg: $type),*) $(-> $result)?;
            )*
        }
        machine!(@for Controlled, $($name($($arg: $type),*) $(-> $result)?;)*);
        machine!(@for Native, $($name($($arg: $type),*) $(-> $result)?;)*);
    };
    (@for $backend:ident, $($name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        impl Machine for Memory<$backend> {
            fn sizes(&self) -> &Sizes {
                self.sizes()
            }
            fn max_order(&self) -> Order {
                self.max_order()
            }
            $(
                // Inlined into another crate, it would be compiled there after all.
                #[inline(never)]
                fn $name(&self, $($arg: $type),*) $(-> $result)? {
                    self.$name($($arg),*)
                }
            )*
        }
    };
}

machine! {
    alloc_pages(cpu: CpuId, order: Order, compound: bool) -> Option<FrameNumber>;
    alloc_pages_exact(cpu: CpuId, pages: usize) -> Option<FrameNumber>;
    split_page(block: FrameNumber, order: Order);
    free_pages(cpu: CpuId, block: FrameNumber, order: Order);
    free_pages_exact(cpu: CpuId, first: FrameNumber, pages: usize);
    get_page(page: FrameNumber, holder: Holder);
    put_page(cpu: CpuId, page: FrameNumber, holder: Holder);
    add(cpu: CpuId, mapping: u32, index: u32) -> bool;
    delete(cpu: CpuId, mapping: u32, index: u32) -> bool;
    find_get(cpu: CpuId, mapping: u32, index: u32) -> Option<FrameNumber>;
    read_page(cpu: CpuId, mapping: u32, index: u32) -> Option<FrameNumber>;
    truncate(cpu: CpuId, mapping: u32);
    reclaim(cpu: CpuId, mapping: u32, index: u32) -> bool;
    write_page(cpu: CpuId, mapping: u32, index: u32) -> bool;
    set_private(cpu: CpuId, mapping: u32, index: u32) -> bool;
    migrate(cpu: CpuId, mapping: u32, index: u32) -> bool;
    collapse(cpu: CpuId, mapping: u32, index: u32) -> bool;
    scan(cpu: CpuId, frame: FrameNumber) -> bool;
    tail_get(page: FrameNumber) -> bool;
    tail_put(cpu: CpuId, page: FrameNumber);
    share_block(block: FrameNumber);
    free_shared(cpu: CpuId, block: FrameNumber, order: Order);
    unshare_block(cpu: CpuId, block: FrameNumber);
    offline(frame: FrameNumber) -> bool;
    poison(cpu: CpuId, page: FrameNumber) -> bool;
    unpoison(cpu: CpuId, page: FrameNumber);
    alloc_gigantic(cpu: CpuId, order: Order, frame: FrameNumber) -> Option<FrameNumber>;
    frag_alloc(cpu: CpuId) -> Option<FrameNumber>;
    frag_free(cpu: CpuId, page: FrameNumber, left: u8) -> u8;
    table_map(cpu: CpuId, table: usize) -> bool;
    table_unmap(cpu: CpuId, table: usize);
    hold_page(frame: FrameNumber) -> bool;
    drain_local(cpu: CpuId);
    drain_all(cpu: CpuId);
    synchronize_rcu(cpu: CpuId);
    drain(cpu: CpuId);
}
