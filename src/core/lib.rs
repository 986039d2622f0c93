//! The code under test, and the one door through which it touches shared memory.
//!
//! * [`sync`]: atomics, locks, waiting, RCU and execution contexts, over two backends: *controlled*,
//!   which asks a [`sync::Hook`] before each access, and *native*, which adds nothing.
//! * [`event`]: tracepoints in Linux's words.
//! * [`mm`]: a page cache on a buddy allocator, step for step like Linux's.
//!
//! What it is not: it neither decides an interleaving nor judges one, and it does not know that it
//! is tested. It is a crate of its own so that edge coverage and features stop at its border.

#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

pub mod event;
pub mod mm;
pub mod sync;
