//! What `std::hint` has for loops that wait.

/// Lets others go on, as [`crate::explore::thread::yield_now`] does: what a loop spins for is done by one of
/// them.
pub fn spin_loop() {
    super::thread::yield_now();
}
