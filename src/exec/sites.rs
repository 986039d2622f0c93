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
    const NONE: Self = Self {
        addr: 0,
        object: None,
        kind: Kind::Load,
        order: Ordering::Relaxed,
        nth: 0,
        op: NO_OP,
        point: 0,
    };

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
    /// The access announced last.
    access: Cell<Access>,
    /// Whether it has been given its name, and what that is.
    named: Cell<bool>,
    pending: Cell<Pending>,
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
                access: Cell::new(Access { addr: 0, kind: Kind::Load, order: Ordering::Relaxed }),
                named: Cell::new(false),
                pending: Cell::new(Pending::NONE),
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

    /// `cpu` announces an access. It is to be named before another one is announced.
    #[inline]
    pub(super) fn announce(&self, cpu: usize, access: Access) {
        let cpu = &self.cpus[cpu];
        cpu.access.set(access);
        cpu.named.set(false);
        let point = cpu.point.get();
        cpu.point.set(point.saturating_add(u16::from(access.kind.is_point())));
    }

    /// The operation that `cpu` is running, or [`NO_OP`], and which of its points it announced last.
    #[inline]
    pub(super) fn at(&self, cpu: usize) -> (u8, u16) {
        (self.cpus[cpu].op.get(), self.cpus[cpu].point.get())
    }

    /// What `cpu` announced last: named and counted now, unless it was before. To be called once it is
    /// clear that the access is made, or by [`Sites::name`].
    #[inline(always)]
    pub(super) fn named(&self, cpu: usize, names: &Names) -> Pending {
        let cpu = &self.cpus[cpu];
        if cpu.named.get() {
            return cpu.pending.get();
        }
        let Access { addr, kind, order } = cpu.access.get();
        let object = names.get(addr);
        let point = cpu.point.get();
        let class = object.map_or(UNNAMED, |o| usize::from(o.class()));
        let count = &cpu.counts[class].as_array_of_cells()[kind as usize];
        let nth = count.get().saturating_add(1);
        count.set(nth);
        Pending { addr, object, kind, order, nth, op: cpu.op.get(), point }
    }

    /// Names what `cpu` announced last, for all who ask before it is made.
    pub(super) fn name(&self, cpu: usize, names: &Names) -> Pending {
        let pending = self.named(cpu, names);
        self.cpus[cpu].pending.set(pending);
        self.cpus[cpu].named.set(true);
        pending
    }

    /// What `cpu` announced last and was named.
    #[inline]
    pub(super) fn pending(&self, cpu: usize) -> Pending {
        self.cpus[cpu].pending.get()
    }
}
