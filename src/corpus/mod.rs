//! The corpus: what was found, kept as minimal cases that are regression tests from then on.
//!
//! * [`entry`]: a case with a promise.
//! * [`store`]: a directory of entries; finding it, reading it, adding to it.
//! * [`mod@replay`]: whether an entry keeps its promise, on its own history and on the default profile.
//! * [`mod@smallest`]: the least that shows what an entry promises.
//! * [`mod@check`]: all of that for a whole store.
//! * [`read`], `write`: files of unknown content in, whole files out.
//!
//! | two processes | what happens |
//! |---|---|
//! | add the same finding | one of them names the file first; the other sees the name taken, reads it, and is content |
//! | add different findings | different names; if by chance the same, the second takes the next number |
//! | one adds, one improves | a rename replaces the whole file: a reader sees one or the other |
//! | one is killed | a temporary is left, which the next one removes; its lock tells it from one in use |
//!
//! What it is not: it decides nothing about findings, reduces nothing, and knows no subject.

pub mod check;
pub mod entry;
pub mod error;
pub mod read;
pub mod replay;
pub mod smallest;
pub mod store;
pub mod write;

pub use check::{Checked, check};
pub use entry::{Entry, Provenance, read_case};
pub use error::{Error, shown, shown_word};
pub use replay::{Broken, Cell, Replayed, replay};
pub use smallest::{Least, Smallest, smallest};
pub use store::{Found, Kept, Store};
