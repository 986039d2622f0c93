//! From addresses to names.
//!
//! A run sees objects by address; a trace, a site or a signature never does. The subject names its
//! objects once, and each access is translated by one table look-up.

use core::num::NonZeroU32;

/// A named object: the n-th of a class. One word, also where there may be none: traces are full of
/// them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(NonZeroU32);

impl ObjectId {
    /// The object of this class (an index into the spec's) with this number, counted from zero.
    #[must_use]
    pub const fn new(class: u8, instance: u16) -> Self {
        let word = (class as u32) << 16 | instance as u32;
        // At most 2^24.
        Self(NonZeroU32::MIN.saturating_add(word))
    }

    /// Index into the spec's classes.
    #[inline]
    #[must_use]
    pub const fn class(self) -> u8 {
        ((self.0.get() - 1) >> 16) as u8
    }

    /// Which of them, counted from zero.
    #[inline]
    #[must_use]
    pub const fn instance(self) -> u16 {
        (self.0.get() - 1) as u16
    }
}

impl core::fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}[{}]", self.class(), self.instance())
    }
}

/// The granule of naming, in bytes: no two named objects share one.
const GRANULE: usize = 4;
/// One region has at most this many granules.
const MAX_GRANULES: usize = 1 << 20;

struct Region {
    base: usize,
    granules: usize,
    /// Where its part of the table begins.
    start: usize,
}

/// The names of a subject's objects.
#[derive(Default)]
pub struct Names {
    /// In the order of their declaration, in which they are searched.
    regions: Vec<Region>,
    /// What begins at each granule of the regions.
    table: Vec<Option<ObjectId>>,
}

impl core::fmt::Debug for Names {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Names").field("regions", &self.regions.len()).finish()
    }
}

impl Names {
    /// No names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all names.
    pub fn clear(&mut self) {
        self.regions.clear();
        self.table.clear();
    }

    /// Declares that the objects named next lie within `whole` (the state itself, or a boxed slice).
    /// Regions are searched in the order of their declaration: the busiest comes first.
    ///
    /// # Panics
    /// If `whole` is larger than 4 MiB.
    pub fn region<T: ?Sized>(&mut self, whole: &T) {
        let granules = size_of_val(whole).div_ceil(GRANULE) + 1;
        assert!(granules <= MAX_GRANULES, "a region of named objects has at most 4 MiB");
        let base = core::ptr::from_ref(whole).addr();
        let start = self.table.len();
        self.regions.push(Region { base, granules, start });
        self.table.resize(start + granules, None);
    }

    /// Names the object at `addr`, which lies in the region declared last.
    ///
    /// # Panics
    /// If it lies elsewhere or its place has a name: a mistake in the subject's `name`.
    pub fn add(&mut self, addr: usize, class: usize, instance: usize) {
        let region = self.regions.last().expect("a region is declared before its objects");
        let granule = addr.wrapping_sub(region.base) / GRANULE;
        assert!(granule < region.granules, "the object lies in the region");
        let place = &mut self.table[region.start + granule];
        assert!(place.is_none(), "two objects share four bytes");
        *place = Some(ObjectId::new(class as u8, instance as u16));
    }

    /// The name of the object at `addr`.
    #[inline]
    #[must_use]
    pub fn get(&self, addr: usize) -> Option<ObjectId> {
        for region in &self.regions {
            let granule = addr.wrapping_sub(region.base) / GRANULE;
            if granule < region.granules {
                return self.table[region.start + granule];
            }
        }
        None
    }
}
