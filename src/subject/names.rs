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
/// One region's table is at most this many granules.
const MAX_GRANULES: usize = 1 << 20;

struct Region {
    base: usize,
    table: Vec<Option<ObjectId>>,
}

/// The names of a subject's objects.
#[derive(Default)]
pub struct Names {
    regions: Vec<Region>,
    current: Option<usize>,
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
        self.current = None;
    }

    /// Declares that the objects named next lie within `whole` (the state itself, or a boxed slice).
    ///
    /// # Panics
    /// If `whole` is larger than 4 MiB.
    pub fn region<T: ?Sized>(&mut self, whole: &T) {
        let granules = size_of_val(whole).div_ceil(GRANULE) + 1;
        assert!(granules <= MAX_GRANULES, "a region of named objects has at most 4 MiB");
        self.current = Some(self.regions.len());
        let base = core::ptr::from_ref(whole).addr();
        self.regions.push(Region { base, table: vec![None; granules] });
    }

    /// Names the object at `addr`, which lies in the region declared last.
    ///
    /// # Panics
    /// If it lies elsewhere or its place has a name: a mistake in the subject's `name`.
    pub fn add(&mut self, addr: usize, class: usize, instance: usize) {
        let at = self.current.expect("a region is declared before its objects");
        let region = &mut self.regions[at];
        let granule = (addr.wrapping_sub(region.base)) / GRANULE;
        let place = region.table.get_mut(granule).expect("the object lies in the region");
        assert!(place.is_none(), "two objects share four bytes");
        *place = Some(ObjectId { class: class as u8, instance: instance as u16 });
    }

    /// The name of the object at `addr`.
    #[inline]
    #[must_use]
    pub fn get(&self, addr: usize) -> Option<ObjectId> {
        self.regions.iter().find_map(|r| *r.table.get(addr.wrapping_sub(r.base) / GRANULE)?)
    }
}
