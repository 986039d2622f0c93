//! The native backend under real threads: every operation of the current version, then conservation.
//!
//! Also what ThreadSanitizer runs. Built with `--cfg pagerace_plain`, fields that belong to a lock are
//! plain memory, so that it checks the locking; with `PAGERACE_PLANT_RACE` set, one test here touches
//! such a field without its lock, to show that it would be reported. The sanitizer needs the
//! suppressions in `tsan.supp` for `std`, which is not built with it.
//!
//! What it is not: an oracle for races. It shows that the primitives work without a scheduler.

use pagerace_core::event::{FrameNumber, FreeList, Holder, Order};
use pagerace_core::mm::{History, Memory, Report, Sizes};
use pagerace_core::sync::{CpuId, Guarded, Native, SpinLock};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CPUS: usize = 4;
/// Rights that one thread keeps at most, so that memory does not stay full.
const KEPT: usize = 3;

#[derive(Clone, Copy)]
enum Right {
    Block(FrameNumber, Order),
    Compound(FrameNumber, Order),
    Page(FrameNumber, Holder),
    Exact(FrameNumber, usize),
}

impl Right {
    /// As a word that is not zero.
    fn pack(self) -> u64 {
        let (kind, frame, detail) = match self {
            Self::Block(frame, order) => (1, frame, u64::from(order.0)),
            Self::Compound(frame, order) => (2, frame, u64::from(order.0)),
            Self::Page(frame, holder) => (3, frame, holder as u64),
            Self::Exact(frame, pages) => (4, frame, pages as u64),
        };
        kind << 48 | u64::from(frame.0) << 16 | detail
    }

    /// Back from the word that [`Right::pack`] gave.
    fn unpack(word: u64) -> Option<Self> {
        let (frame, detail) = (FrameNumber((word >> 16) as u32), word & 0xffff);
        match word >> 48 {
            1 => Some(Self::Block(frame, Order(detail as u8))),
            2 => Some(Self::Compound(frame, Order(detail as u8))),
            3 => Some(Self::Page(frame, Holder::ALL[detail as usize])),
            4 => Some(Self::Exact(frame, detail as usize)),
            _ => None,
        }
    }
}

const OPS: [&str; 22] = [
    "alloc",
    "alloc_compound",
    "alloc_exact",
    "split_page",
    "free_pages",
    "free_exact",
    "get_page",
    "put_page",
    "add",
    "delete",
    "lookup",
    "lookup_lock",
    "truncate",
    "reclaim",
    "writeback",
    "scan",
    "drain_local",
    "drain_all",
    "synchronize_rcu",
    "set_private",
    "migrate",
    "collapse",
];

struct Machine {
    memory: Memory<Native>,
    /// Rights on their way from one thread to another.
    passed: [AtomicU64; CPUS],
    /// How often each operation did something.
    done: [AtomicU64; OPS.len()],
}

/// Starts and joins threads in a way that ThreadSanitizer sees although `std` is not built with it:
/// what orders them is repeated by an atomic of this crate.
fn on_threads(count: usize, work: impl Fn(usize) + Sync) {
    let ordered = AtomicU64::new(0);
    let (ordered, work) = (&ordered, &work);
    ordered.fetch_add(1, Ordering::AcqRel);
    std::thread::scope(|scope| {
        for at in 0..count {
            scope.spawn(move || {
                ordered.fetch_add(1, Ordering::AcqRel);
                // All begin at once, and nobody learns here who is done: a thread that ended before
                // another began would be ordered with it, and a race of the two would go unseen.
                while ordered.load(Ordering::Relaxed) <= count as u64 {
                    std::thread::yield_now();
                }
                work(at);
                ordered.fetch_add(1, Ordering::AcqRel);
            });
        }
    });
    ordered.fetch_add(1, Ordering::AcqRel);
}

/// One thread's random numbers.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn new_right(machine: &Machine, cpu: CpuId, op: &str, draw: &mut Draw) -> Option<Right> {
    let memory = &machine.memory;
    let order = Order(draw.below(usize::from(memory.max_order().0) + 1) as u8);
    let (mapping, index) = (draw.below(2) as u32, draw.below(4) as u32);
    let page = |page| Right::Page(page, Holder::Lookup);
    match op {
        "alloc" => memory.alloc_pages(cpu, order, false).map(|b| Right::Block(b, order)),
        "alloc_compound" => memory.alloc_pages(cpu, order, true).map(|b| Right::Compound(b, order)),
        "alloc_exact" => {
            let pages = draw.below(memory.max_order().frames()) + 1;
            memory.alloc_pages_exact(cpu, pages).map(|b| Right::Exact(b, pages))
        }
        "lookup" => memory.find_get(cpu, mapping, index).map(page),
        "lookup_lock" => memory.read_page(cpu, mapping, index).map(page),
        _ => None,
    }
}

fn without_right(machine: &Machine, cpu: CpuId, op: &str, draw: &mut Draw) -> bool {
    let memory = &machine.memory;
    let (mapping, index) = (draw.below(2) as u32, draw.below(4) as u32);
    match op {
        "add" => return memory.add(cpu, mapping, index),
        "delete" => return memory.delete(cpu, mapping, index),
        "reclaim" => return memory.reclaim(cpu, mapping, index),
        "writeback" => return memory.write_page(cpu, mapping, index),
        "set_private" => return memory.set_private(cpu, mapping, index),
        "migrate" => return memory.migrate(cpu, mapping, index),
        "collapse" => return memory.collapse(cpu, mapping, index),
        "scan" => return memory.scan(cpu, FrameNumber(draw.below(memory.sizes().frames) as u32)),
        // Rarely, so that the other operations find pages.
        "truncate" if draw.below(16) == 0 => memory.truncate(cpu, mapping),
        "drain_local" => memory.drain_local(cpu),
        "drain_all" => memory.drain_all(cpu),
        "synchronize_rcu" => memory.synchronize_rcu(cpu),
        _ => return false,
    }
    true
}

/// Runs an operation that takes a right; returns what is left of the right, and whether it fitted.
fn with_right(
    memory: &Memory<Native>,
    cpu: CpuId,
    op: &str,
    right: Right,
) -> (Option<Right>, bool) {
    let left = match (op, right) {
        ("split_page", Right::Block(block, order)) => {
            memory.split_page(block, order);
            Some(Right::Exact(block, order.frames()))
        }
        ("free_pages", Right::Block(block, order) | Right::Compound(block, order)) => {
            memory.free_pages(cpu, block, order);
            None
        }
        ("free_exact", Right::Exact(first, pages)) => {
            memory.free_pages_exact(cpu, first, pages);
            None
        }
        ("get_page", Right::Compound(page, order)) => {
            // The owner frees its block while the reference is still there.
            memory.get_page(page.offset(order.frames() - 1), Holder::Get);
            memory.free_pages(cpu, page, order);
            Some(Right::Page(page, Holder::Get))
        }
        ("put_page", Right::Compound(page, _)) => {
            memory.put_page(cpu, page, Holder::Owner);
            None
        }
        ("put_page", Right::Page(page, holder)) => {
            memory.put_page(cpu, page, holder);
            None
        }
        (_, right) => return (Some(right), false),
    };
    (left, true)
}

fn give_back(memory: &Memory<Native>, cpu: CpuId, right: Right) {
    for op in ["free_pages", "free_exact", "put_page"] {
        if with_right(memory, cpu, op, right).1 {
            return;
        }
    }
}

fn work(machine: &Machine, cpu: usize, until: Instant) {
    let (cpu, mut draw) = (CpuId::new(cpu), Draw(cpu as u64 + 1));
    let mut held: Vec<Right> = Vec::with_capacity(KEPT + 1);
    while Instant::now() < until {
        for _ in 0..64 {
            let at = draw.below(OPS.len());
            let op = OPS[at];
            let mut did = without_right(machine, cpu, op, &mut draw);
            if let Some(right) = new_right(machine, cpu, op, &mut draw) {
                held.push(right);
                did = true;
            } else if !held.is_empty() {
                let right = held.swap_remove(draw.below(held.len()));
                let (left, fitted) = with_right(&machine.memory, cpu, op, right);
                held.extend(left);
                did |= fitted;
            }
            machine.done[at].fetch_add(u64::from(did), Ordering::Relaxed);
            if held.len() > KEPT {
                let place = &machine.passed[draw.below(CPUS)];
                let other = place.swap(held.swap_remove(0).pack(), Ordering::AcqRel);
                let Some(other) = Right::unpack(other) else { continue };
                give_back(&machine.memory, cpu, other);
            }
        }
    }
    for right in held {
        give_back(&machine.memory, cpu, right);
    }
}

fn assert_whole(memory: &Memory<Native>) {
    let mut free = 0;
    memory.walk_all(|report| match report {
        Report::Free(frame, order, list) => {
            assert_eq!((order, list), (memory.max_order(), FreeList::Buddy), "{frame} coalesced");
            free += order.frames();
        }
        Report::Refcount(count) => assert_eq!(count, 0),
        other => panic!("{other:?}"),
    });
    assert_eq!(free, memory.sizes().frames);
}

fn stress(frames: usize, pcp_batch: usize, seconds: f64) {
    let sizes = Sizes { cpus: CPUS, frames, pcp_batch, mappings: 2, indices: 4 };
    let machine = Machine {
        memory: Memory::new(sizes, History::CURRENT),
        passed: [const { AtomicU64::new(0) }; CPUS],
        done: [const { AtomicU64::new(0) }; OPS.len()],
    };
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    on_threads(CPUS, |cpu| work(&machine, cpu, until));
    let Machine { memory, passed, done } = machine;
    for right in passed.into_iter().filter_map(|word| Right::unpack(word.into_inner())) {
        give_back(&memory, CpuId::new(0), right);
    }
    memory.drain(CpuId::new(0));
    assert_whole(&memory);
    for (op, done) in OPS.iter().zip(done) {
        assert!(done.into_inner() > 0, "{op} never did anything");
    }
}

/// `PAGERACE_STRESS_SECONDS`, 2 by default, over all sizes.
fn seconds() -> f64 {
    let text = std::env::var("PAGERACE_STRESS_SECONDS").unwrap_or_else(|_| "2".into());
    text.parse().expect("PAGERACE_STRESS_SECONDS is a number")
}

#[test]
fn four_threads_conserve_all_frames() {
    let sizes = [(8, 0), (8, 2), (64, 0), (64, 2)];
    for (frames, pcp_batch) in sizes {
        stress(frames, pcp_batch, seconds() / sizes.len() as f64);
    }
}

#[test]
fn a_field_under_its_lock_loses_no_update() {
    const TURNS: u32 = 20_000;
    let locked = std::env::var_os("PAGERACE_PLANT_RACE").is_none();
    let (lock, field) = (SpinLock::<Native>::new(), Guarded::<Native, u32>::new(0));
    on_threads(2, |_| {
        for _ in 0..TURNS {
            let _held = locked.then(|| lock.lock());
            field.set(&lock, field.get(&lock) + 1);
        }
    });
    if locked {
        assert_eq!(field.peek(), 2 * TURNS);
    }
}
