//! Execution contexts: sections with interrupts or preemption off.
//!
//! In a controlled run they are events: sleeping inside one is reported. CPUs are separate, so a
//! section does not keep other CPUs out. Natively they are nothing.

use super::Backend;
use crate::event::{Context, Event};
use core::marker::PhantomData;

macro_rules! section {
    ($(#[$doc:meta])* $name:ident, $guard:ident, $context:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<B: Backend>(PhantomData<B>);

        impl<B: Backend> $name<B> {
            /// Enters the section; it ends when the guard is dropped.
            pub fn off() -> $guard<B> {
                B::event(|| Event::Section { context: $context, entered: true });
                $guard(PhantomData)
            }
        }

        /// An open section; dropping it closes it.
        #[must_use = "the section ends when this is dropped"]
        #[derive(Debug)]
        pub struct $guard<B: Backend>(PhantomData<B>);

        impl<B: Backend> Drop for $guard<B> {
            fn drop(&mut self) {
                B::event(|| Event::Section { context: $context, entered: false });
            }
        }
    };
}

section!(
    /// Interrupts of this CPU off (`local_irq_save`).
    Irq,
    IrqGuard,
    Context::Irq
);
section!(
    /// Preemption of this CPU off (`preempt_disable`).
    Preempt,
    PreemptGuard,
    Context::Preempt
);
