//! Your own allocator under test: a bitmap page allocator with a lock-free free list.
//!
//! The file has two halves. The first, [`Pages`], is an allocator as its owner has it, except that
//! its atomics come from `pagerace_core::sync` and that it says when a block changes hands. The
//! second is all that pagerace wants to know about it: a table and a few short functions.
//! `docs/your-allocator.md` goes through both.
//!
//! What it is not: fast, or an allocator to use. It has one planted bug, behind a switch.
//!
//! A free frame is in one of two places, and in transit between them it is its mover's alone:
//! * the *list*, a Treiber stack: `head` names the top frame, `next` of a frame the one below;
//! * the *map*, one word with a bit for each frame.
//!
//! | | alloc, trim (pop) | free, refill (push) | alloc_pair, refill, trim, free (map) |
//! |---|---|---|---|
//! | alloc, trim (pop) | exchange of `head` | exchange of `head` | different places |
//! | free, refill (push) | | exchange of `head` | different places |
//! | alloc_pair, refill, trim, free (map) | | | exchange or `fetch_or` of `map` |

use pagerace::subject::{
    Call, Census, ClassSpec, Done, FieldSpec, FreeBlock, Names, OpSpec, ProfileSpec, RightKind,
    Setup, Spec, Subject, SwitchSpec, VariantSpec,
};
use pagerace_core::event::{Event, FrameNumber, FreeList, Order};
use pagerace_core::sync::{AtomicU32, AtomicU64, Backend, Controlled, CpuId, Ordering::*};

/// The most frames: as many as the map has bits.
const MAX_FRAMES: usize = 32;
/// Both places are one pool to the oracles, which tell apart per-CPU lists and all the rest.
const POOL: FreeList = FreeList::Buddy;

/// Some frames that an operation handed out: one, or an aligned pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    frame: FrameNumber,
    order: Order,
}

/// The allocator. `Pages<Native>` is what ships: the same code without any hook.
#[derive(Debug)]
pub struct Pages<B: Backend> {
    /// How many frames there are.
    frames: usize,
    /// The switch: whether `head` carries a generation.
    tagged: bool,
    /// The link to the top of the list in the lower half, its generation in the upper.
    head: AtomicU64<B>,
    /// The link from each frame of the list to the one below.
    next: [AtomicU32<B>; MAX_FRAMES],
    /// A bit for each free frame that is not on the list.
    map: AtomicU32<B>,
    /// The first word of each frame, for whoever holds it.
    content: [AtomicU32<B>; MAX_FRAMES],
}

/// The frame that a link names: links count from one, zero ends the list.
fn linked(link: u32) -> Option<FrameNumber> {
    link.checked_sub(1).map(FrameNumber)
}

impl<B: Backend> Pages<B> {
    /// No frames yet; see [`Pages::fill`].
    #[must_use]
    pub fn empty() -> Self {
        Self {
            frames: 0,
            tagged: true,
            head: AtomicU64::new(0),
            next: [const { AtomicU32::new(0) }; MAX_FRAMES],
            map: AtomicU32::new(0),
            content: [const { AtomicU32::new(0) }; MAX_FRAMES],
        }
    }

    /// Starts over with `frames` free frames, an even number: the lower half on the list, lowest
    /// first, the upper half in the map.
    pub fn fill(&mut self, frames: usize, tagged: bool) {
        let half = frames / 2;
        (self.frames, self.tagged) = (frames, tagged);
        self.head.reset(1);
        self.map.reset((((1u64 << frames) - 1) & !((1 << half) - 1)) as u32);
        for frame in 0..frames {
            self.next[frame].reset(if frame + 1 < half { frame as u32 + 2 } else { 0 });
            self.content[frame].reset(0);
        }
    }

    /// Takes one frame off the list; nothing if the list is empty.
    pub fn alloc(&self) -> Option<Block> {
        let block = Block { frame: self.pop()?, order: Order(0) };
        Some(Self::handed_out(block))
    }

    /// Takes two neighbours that start at an even frame out of the map; nothing if it has none.
    pub fn alloc_pair(&self) -> Option<Block> {
        let frame = self.claim(|map| {
            let pairs = map & (map >> 1) & 0x5555_5555;
            (pairs & pairs.wrapping_neg()) * 3
        })?;
        Some(Self::handed_out(Block { frame, order: Order(1) }))
    }

    /// Gives a block back: a frame to the list, a pair to the map.
    pub fn free(&self, block: Block) {
        let Block { frame, order } = block;
        match order {
            Order(0) => self.push(frame),
            _ => drop(self.map.fetch_or(3 << frame.0, Release)),
        }
        B::event(|| Event::PageFree { frame, order, to: POOL });
    }

    /// Writes to a frame that the caller holds and reads it back: a check of the allocator's own,
    /// like a kernel's.
    pub fn touch(&self, block: Block, mark: u32) {
        let frame = block.frame;
        self.content[frame.index()].store(mark, Relaxed);
        if self.content[frame.index()].load(Relaxed) != mark {
            B::event(|| Event::BugOn { frame, check: "content" });
        }
    }

    /// Moves one frame from the map to the list; false if the map is empty.
    pub fn refill(&self) -> bool {
        let Some(frame) = self.claim(|map| map & map.wrapping_neg()) else { return false };
        self.push(frame);
        B::event(|| Event::PageMove { frame, order: Order(0), to: POOL });
        true
    }

    /// Moves one frame from the list to the map; false if the list is empty.
    pub fn trim(&self) -> bool {
        let Some(frame) = self.pop() else { return false };
        self.map.fetch_or(1 << frame.0, Release);
        B::event(|| Event::PageMove { frame, order: Order(0), to: POOL });
        true
    }

    /// Lists what is free by walking list and map, while nobody else is using them.
    pub fn count(&self, census: &mut Census) {
        census.frames = self.frames;
        let top = linked(self.head.peek() as u32);
        // One step more than there are frames: on a list that bites its tail the walk names some
        // frame twice, which is what the oracles look for.
        let below = |frame: &FrameNumber| linked(self.next[frame.index()].peek());
        let listed = std::iter::successors(top, below).take(self.frames + 1);
        let mapped = (0..MAX_FRAMES as u32).filter(|bit| self.map.peek() >> bit & 1 == 1);
        let single = |frame| FreeBlock { frame, order: Order(0), list: POOL };
        census.free.extend(listed.chain(mapped.map(FrameNumber)).map(single));
    }

    /// Says that `block` has an owner now. An event belongs to the access before it.
    fn handed_out(block: Block) -> Block {
        let Block { frame, order } = block;
        B::event(|| Event::PageAlloc { frame, order, compound: false, from: POOL });
        block
    }

    fn pop(&self) -> Option<FrameNumber> {
        loop {
            let seen = self.head.load(Acquire);
            let frame = linked(seen as u32)?;
            // Stale if somebody else takes the frame first. The exchange below must then fail.
            let below = self.next[frame.index()].load(Relaxed);
            if self.head.compare_exchange(seen, self.head_at(below, seen), AcqRel, Relaxed).is_ok()
            {
                return Some(frame);
            }
        }
    }

    fn push(&self, frame: FrameNumber) {
        loop {
            let seen = self.head.load(Relaxed);
            self.next[frame.index()].store(seen as u32, Relaxed);
            let head = self.head_at(frame.0 + 1, seen);
            if self.head.compare_exchange(seen, head, Release, Relaxed).is_ok() {
                return;
            }
        }
    }

    /// The head that replaces `seen` and links to `link`: what the switch `head` decides.
    ///
    /// Plain, a head says only which frame is on top, and the exchange in `pop` cannot tell that it
    /// left and came back (ABA). The list is f0, f1:
    ///
    /// 1. cpu0 `alloc`: loads head f0 and its link, f1
    /// 2. cpu1 `alloc` takes f0, `alloc` takes f1, `free` puts f0 back: the list is f0
    /// 3. cpu0 exchanges head f0 for f1 and has f0; on top of the list is f1, which cpu1 owns
    ///
    /// Symptom: the next `alloc` hands out f1 again; if f1 is freed first, it is on the list twice,
    /// and what was below it is lost. Seen by: overlap, conservation. Fix: tagged, every change of
    /// head makes a head that was never there before.
    fn head_at(&self, link: u32, seen: u64) -> u64 {
        let generation = if self.tagged { (seen >> 32) + 1 } else { 0 };
        generation << 32 | u64::from(link)
    }

    /// Takes the frames that `pick` chooses out of the map; nothing if it chooses none.
    fn claim(&self, pick: impl Fn(u32) -> u32) -> Option<FrameNumber> {
        let mut seen = self.map.load(Relaxed);
        loop {
            let mask = pick(seen);
            if mask == 0 {
                return None;
            }
            match self.map.compare_exchange(seen, seen & !mask, Acquire, Relaxed) {
                Ok(_) => return Some(FrameNumber(mask.trailing_zeros())),
                Err(found) => seen = found,
            }
        }
    }
}

// From here on: what pagerace wants to know.

/// Kinds of right, in the order of `Spec::rights`.
const PAGE: RightKind = 0;
const PAIR: RightKind = 1;
/// Classes of objects, in the order of `Spec::classes`.
const HEAD: usize = 0;
const NEXT: usize = 1;
const MAP: usize = 2;
const CONTENT: usize = 3;

static SPEC: Spec = Spec {
    name: "your-allocator",
    ops: &[
        OpSpec::new("alloc", "Take a page off the list.").gives(PAGE).in_setup(),
        OpSpec::new("free", "Give a page back to the list, or a pair to the map.")
            .takes(&[PAGE, PAIR]),
        OpSpec::new("alloc_pair", "Take two neighbouring pages out of the map.").gives(PAIR),
        OpSpec::new("touch", "Write to a page and read it back.").takes(&[PAGE]).gives(PAGE),
        OpSpec::new("refill", "Move a page from the map to the list.").in_setup(),
        OpSpec::new("trim", "Move a page from the list to the map.").in_setup(),
    ],
    rights: &["page", "pair"],
    fields: &[FieldSpec {
        name: "frames",
        doc: "How many frames there are; half of them start on the list.",
        values: &[4, 8, 16, 32],
        drawn: 2,
    }],
    switches: &[SwitchSpec {
        name: "head",
        variants: &[
            VariantSpec { name: "tagged", racy: false, doc: "The head carries a generation." },
            VariantSpec { name: "plain", racy: true, doc: "The head is a bare link (ABA)." },
        ],
    }],
    profiles: &[
        ProfileSpec { name: "current", history: &[0] },
        ProfileSpec { name: "aba", history: &[1] },
    ],
    classes: &[
        ClassSpec::new("head"),
        ClassSpec::new("next"),
        ClassSpec::new("map"),
        ClassSpec::new("content"),
    ],
    ..Spec::EMPTY
};

impl Subject for Pages<Controlled> {
    type Right = Block;

    fn spec() -> &'static Spec {
        &SPEC
    }

    fn new(_: &Setup<'_>) -> Self {
        Self::empty()
    }

    fn reset(&mut self, setup: &Setup<'_>) -> bool {
        self.fill(setup.fields[0] as usize, setup.history[0] == 0);
        // The arrays are as large as they can be: nothing ever moves.
        false
    }

    fn name(&self, names: &mut Names) {
        names.region(self);
        names.add(self.head.addr(), HEAD, 0);
        names.add(self.map.addr(), MAP, 0);
        for frame in 0..MAX_FRAMES {
            names.add(self.next[frame].addr(), NEXT, frame);
            names.add(self.content[frame].addr(), CONTENT, frame);
        }
    }

    fn kind(right: &Block) -> RightKind {
        right.order.0
    }

    fn execute(&self, cpu: CpuId, call: Call<Block>) -> Done<Block> {
        let gave = |block: Option<Block>| block.map_or(Done::Failed, |b| Done::Ok(Some(b)));
        let moved = |yes: bool| if yes { Done::Ok(None) } else { Done::Failed };
        match (SPEC.ops[call.op].name, call.right) {
            ("alloc", _) => gave(self.alloc()),
            ("alloc_pair", _) => gave(self.alloc_pair()),
            ("refill", _) => moved(self.refill()),
            ("trim", _) => moved(self.trim()),
            ("free", Some(block)) => {
                self.free(block);
                Done::Ok(None)
            }
            ("touch", Some(block)) => {
                self.touch(block, cpu.index() as u32 + 1);
                Done::Ok(Some(block))
            }
            (name, _) => unreachable!("{name} has a row, and the right that its row asks for"),
        }
    }

    fn give_back(&self, _: CpuId, right: Block) {
        self.free(right);
    }

    fn census(&self, census: &mut Census) {
        self.count(census);
    }
}

/// All commands of `pagerace`, on this allocator.
fn main() -> std::process::ExitCode {
    pagerace::cli::main::<Pages<Controlled>>()
}
