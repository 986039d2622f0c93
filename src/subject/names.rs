//! From addresses to names.
//!
//! A run sees objects by address; a trace, a site or a signature never does. The subject names its
//! objects once, and each access is translated by one table look-up.

/// A named object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ObjectId {
    /// Index into the spec's classes.
    pub class: u8,
    /// Which of them, counted from zero.
    pub instance: u16,
}

/// The granule of naming, in bytes: no two named objects share one.
const GRANULE: usize = 4;
/// One region has at most this many granules.
const MAX_GRANULES: usize = 1 << 20;
/// What stands in the table for a granule without a name.
const NO_NAME: u32 = u32::MAX;

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
    /// A name for each granule of the regions: class and instance in one word.
    table: Vec<u32>,
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
        self.table.resize(start + granules, NO_NAME);
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
        assert!(*place == NO_NAME, "two objects share four bytes");
        *place = (class as u32) << 16 | u32::from(instance as u16);
    }

    /// The name of the object at `addr`.
    #[inline]
    #[must_use]
    pub fn get(&self, addr: usize) -> Option<ObjectId> {
        for region in &self.regions {
            let granule = addr.wrapping_sub(region.base) / GRANULE;
            if granule < region.granules {
                let name = self.table[region.start + granule];
                let id = ObjectId { class: (name >> 16) as u8, instance: name as u16 };
                return (name != NO_NAME).then_some(id);
            }
        }
        None
    }
}
