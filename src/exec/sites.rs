//! The accesses that tasks have announced, and their names.
//!
//! A site is counted within its operation: the n-th access of its kind to its class of objects.
//!
//! What it is not: a record of what was done (that is the trace).

use super::policy;
use crate::program::{Key, OpId, Site};
use crate::subject::{Names, ObjectId};
use pagerace_core::sync::{Access, Kind, MAX_CPUS, Ordering};
use std::cell::Cell;

/// What stands for the operation where there is none.
pub(super) const NO_OP: u8 = u8::MAX;
/// The most object classes a subject may have.
pub(super) const MAX_CLASSES: usize = 63;
/// Where accesses to objects that the subject did not name are counted.
const UNNAMED: usize = MAX_CLASSES;
const KINDS: usize = Kind::ALL.len();

/// An access that a task has announced, with its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub addr: usize,
    pub object: Option<ObjectId>,
    pub kind: Kind,
    pub order: Ordering,
    /// Which of this class and kind within the operation, from 1.
    pub nth: u8,
    /// The operation, or [`NO_OP`].
    pub op: u8,
    /// Which point of the operation, from 1.
    pub point: u16,
}

impl Pending {
    /// As a policy sees it.
    pub(super) fn for_policy(&self, cpu: usize) -> policy::Pending {
        let class = self.object.map_or(u8::MAX, ObjectId::class);
        let site = u32::from(class) << 16 | (self.kind as u32) << 8 | u32::from(self.nth);
        let key = (cpu as u64) << 32 | u64::from(self.op) << 16 | u64::from(self.point);
        policy::Pending { object: self.object, kind: self.kind, site, key }
    }

    /// The name of this point. Sites past what a name can count are numbered instead.
    pub(super) fn key(&self) -> Key {
        let site = match self.object {
            Some(object) if self.nth < u8::MAX => {
                Site::Named { class: object.class(), kind: self.kind, nth: self.nth }
            }
            _ => Site::Nth(self.point),
        };
        Key { op: OpId(self.op), site }
    }
}

/// What one CPU's operation has done so far.
struct Progress {
    op: Cell<u8>,
    point: Cell<u16>,
    /// The access announced last, a field at a time: written and read as one value it would be copied in
    /// words whose parts have just been stored, and the processor would wait for these.
    addr: Cell<usize>,
    object: Cell<Option<ObjectId>>,
    kind: Cell<Kind>,
    order: Cell<Ordering>,
    nth: Cell<u8>,
    /// By class, then by kind; a class at a time, so that clearing them is a few stores.
    counts: [Cell<[u8; KINDS]>; MAX_CLASSES + 1],
}

/// What all CPUs' operations have done so far.
pub(super) struct Sites {
    classes: usize,
    cpus: [Progress; MAX_CPUS],
}

impl Sites {
    pub(super) fn new(classes: usize) -> Self {
        assert!(classes <= MAX_CLASSES, "a subject has at most {MAX_CLASSES} classes");
        Self {
            classes,
            cpus: std::array::from_fn(|_| Progress {
                op: Cell::new(NO_OP),
                point: Cell::new(0),
                addr: Cell::new(0),
                object: Cell::new(None),
                kind: Cell::new(Kind::Load),
                order: Cell::new(Ordering::Relaxed),
                nth: Cell::new(0),
                counts: [const { Cell::new([0; KINDS]) }; MAX_CLASSES + 1],
            }),
        }
    }

    /// No task has announced anything.
    pub(super) fn clear(&self) {
        for cpu in &self.cpus {
            cpu.op.set(NO_OP);
        }
    }

    /// An operation begins on `cpu`, or ([`NO_OP`]) what belongs to none.
    pub(super) fn start_op(&self, cpu: usize, op: u8) {
        let cpu = &self.cpus[cpu];
        cpu.op.set(op);
        cpu.point.set(0);
        for class in &cpu.counts[..self.classes] {
            class.set([0; KINDS]);
        }
        cpu.counts[UNNAMED].set([0; KINDS]);
    }

    /// The operation that `cpu` is running, if any.
    #[inline]
    pub(super) fn op(&self, cpu: usize) -> Option<OpId> {
        let op = self.cpus[cpu].op.get();
        (op != NO_OP).then_some(OpId(op))
    }

    /// `cpu` announces an access, which is named and counted.
    #[inline(always)]
    pub(super) fn announce(&self, cpu: usize, access: Access, names: &Names) {
        let cpu = &self.cpus[cpu];
        let Access { addr, kind, order } = access;
        cpu.point.set(cpu.point.get().saturating_add(u16::from(kind.is_point())));
        let object = names.get(addr);
        let class = object.map_or(UNNAMED, |o| usize::from(o.class()));
        let count = &cpu.counts[class].as_array_of_cells()[kind as usize];
        let nth = count.get().saturating_add(1);
        count.set(nth);
        cpu.addr.set(addr);
        cpu.object.set(object);
        cpu.kind.set(kind);
        cpu.order.set(order);
        cpu.nth.set(nth);
    }

    /// The operation that `cpu` is running, or [`NO_OP`], and which of its points it announced last.
    #[inline]
    pub(super) fn at(&self, cpu: usize) -> (u8, u16) {
        (self.cpus[cpu].op.get(), self.cpus[cpu].point.get())
    }

    /// What `cpu` announced last.
    #[inline(always)]
    pub(super) fn pending(&self, cpu: usize) -> Pending {
        let cpu = &self.cpus[cpu];
        Pending {
            addr: cpu.addr.get(),
            object: cpu.object.get(),
            kind: cpu.kind.get(),
            order: cpu.order.get(),
            nth: cpu.nth.get(),
            op: cpu.op.get(),
            point: cpu.point.get(),
        }
    }
}
