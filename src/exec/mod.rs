//! Runs cases on a subject under shuttle.

pub mod trace;
