//! The static description of a subject.
//!
//! What it is not: behaviour. A row says what an operation is called, takes and gives.

/// The kind of a right. A subject numbers its kinds from zero.
pub type RightKind = u8;

/// A set of [`RightKind`]s.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RightSet(u16);

impl RightSet {
    /// No kind at all.
    pub const NONE: Self = Self(0);

    /// The set of these kinds.
    #[must_use]
    pub const fn of(kinds: &[RightKind]) -> Self {
        let mut set = 0;
        let mut i = 0;
        while i < kinds.len() {
            set |= 1 << kinds[i];
            i += 1;
        }
        Self(set)
    }

    /// Whether it has this kind.
    #[must_use]
    pub const fn has(self, kind: RightKind) -> bool {
        self.0 >> kind & 1 == 1
    }

    /// Whether it has no kind.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A static operand of an operation.
#[derive(Clone, Copy, Debug)]
pub struct OperandSpec {
    /// Its name in the text form (`order`).
    pub name: &'static str,
    /// Values are below this; at most 256. Smaller values are simpler.
    pub limit: u32,
    /// The set-up field that is the real limit of a case, if one is: the generator stays below it,
    /// and the subject reduces by it.
    pub field: Option<usize>,
}

/// One row of the operation table.
#[derive(Clone, Copy, Debug)]
pub struct OpSpec {
    /// Its name in the text form and in reports (`free_pages`).
    pub name: &'static str,
    /// What it does, for `--help` and the documents. One sentence.
    pub doc: &'static str,
    /// Its static operands.
    pub operands: &'static [OperandSpec],
    /// The kinds of right it takes one of; empty if it takes none.
    pub takes: RightSet,
    /// The kind of right it may produce.
    pub gives: Option<RightKind>,
    /// Whether it is useful in the sequential set-up, before the CPUs start.
    pub setup: bool,
    /// Operations (by index) that the minimizer may put in its place, simplest first.
    pub simpler: &'static [usize],
    /// How many points at accesses to each class (by index) it has where nothing is in its way, for policies
    /// that weigh what is left of a program. Empty where that is not known.
    pub points: &'static [(u8, u16)],
}

impl OpSpec {
    /// An operation without operands that neither takes nor gives a right and is of no use in the
    /// set-up. The methods below add what there is; the other fields are set as fields.
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        let takes = RightSet::NONE;
        Self {
            name,
            doc,
            operands: &[],
            takes,
            gives: None,
            setup: false,
            simpler: &[],
            points: &[],
        }
    }

    /// It takes a right of one of these kinds.
    #[must_use]
    pub const fn takes(self, kinds: &[RightKind]) -> Self {
        Self { takes: RightSet::of(kinds), ..self }
    }

    /// It may give a right of this kind.
    #[must_use]
    pub const fn gives(self, kind: RightKind) -> Self {
        Self { gives: Some(kind), ..self }
    }

    /// It is useful in the set-up.
    #[must_use]
    pub const fn in_setup(self) -> Self {
        Self { setup: true, ..self }
    }
}

/// An operation that no random case has: a search puts it into a case that passes without it.
#[derive(Clone, Copy, Debug)]
pub struct InjectedSpec {
    /// Takes a reference that the subject must live with: its first operand is what it takes it on,
    /// counted as the reference counts are, and what it gives is that reference.
    pub op: OpSpec,
    /// The operation (by index) that drops it.
    pub drop: usize,
}

/// A field of the set-up.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Its name in the text form (`frames`).
    pub name: &'static str,
    /// What it is, with its unit.
    pub doc: &'static str,
    /// The values it may have. The first is the simplest, and what missing bytes mean.
    pub values: &'static [u32],
    /// How many of `values`, from the first, the generator draws from; the rest are for scale runs
    /// that ask for them.
    pub drawn: usize,
}

/// One setting of a switch.
#[derive(Clone, Copy, Debug)]
pub struct VariantSpec {
    /// Its name (`v5_9`).
    pub name: &'static str,
    /// Whether there is a documented race that only this setting has.
    pub racy: bool,
    /// What it was, for `--help`. One sentence.
    pub doc: &'static str,
}

/// A mechanism with historical variants.
#[derive(Clone, Copy, Debug)]
pub struct SwitchSpec {
    /// Its name (`free_pages`).
    pub name: &'static str,
    /// Its variants.
    pub variants: &'static [VariantSpec],
}

/// A switch that there is no more. A text may still state the setting that meant nothing special.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetiredSwitch {
    /// Its name.
    pub name: &'static str,
    /// The variant that may be stated, and says nothing.
    pub neutral: &'static str,
    /// What to state in place of the others.
    pub instead: &'static str,
}

/// Something that a campaign counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutcomeSpec {
    /// Its name (`put-last`).
    pub name: &'static str,
    /// The switch and the variant without which it cannot occur, if there is one.
    pub only: Option<(&'static str, &'static str)>,
}

impl OutcomeSpec {
    /// One that may occur whatever the switches say.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, only: None }
    }
}

/// A named consistent setting of all switches.
#[derive(Clone, Copy, Debug)]
pub struct ProfileSpec {
    /// Its name (`linux-5.9`).
    pub name: &'static str,
    /// The index of the variant of each switch.
    pub history: &'static [u8],
}

/// What is on record about the documented race of one variant.
///
/// For people and for naming entries; nothing that generates, runs or judges cases looks at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RaceSpec {
    /// Its name, which its entry has too (`nc-free-leak`).
    pub name: &'static str,
    /// The switch that has it (`free_pages`).
    pub switch: &'static str,
    /// The variant that has it (`v5_9`).
    pub variant: &'static str,
    /// The commit that introduced it, 12 digits, or `-`.
    pub introduced: &'static str,
    /// The commit that fixed it, 12 digits, or `-`.
    pub fixed: &'static str,
    /// The first and the last release that have it.
    pub versions: &'static str,
    /// Its CVE, or `-`.
    pub cve: &'static str,
    /// The entry that shows it, below `corpus/`, or `-`.
    pub entry: &'static str,
    /// The signature it shows itself by, or `-` where that is not established.
    pub signature: &'static str,
    /// What else it may show itself by, with other partners; `*` ends one that stands for all that begin so.
    pub also: &'static [&'static str],
    /// Whether it takes no schedule: what its entry shows is promised as sequential, not as a race. Of a race,
    /// programs other than the entry's may show the same signature one after the other all the same.
    pub sequential: bool,
    /// What it is, for people: text in lines that fit a terminal.
    pub doc: &'static str,
}

/// A class of objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClassSpec {
    /// Its name in sites (`refcount`).
    pub name: &'static str,
    /// Whether its objects are the reference counts that `page_ref` events explain.
    pub refcount: bool,
}

impl ClassSpec {
    /// A class of objects that are no reference counts.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, refcount: false }
    }
}

/// Everything static about a subject.
#[derive(Debug)]
pub struct Spec {
    /// Its name: the subject's line of a case.
    pub name: &'static str,
    /// The operations. Their order is part of the meaning of bytes: append only.
    pub ops: &'static [OpSpec],
    /// Operations that only text and searches know, not bytes. They are numbered behind `ops`.
    pub injected: &'static [InjectedSpec],
    /// The names of the kinds of right.
    pub rights: &'static [&'static str],
    /// The set-up fields. Append only.
    pub fields: &'static [FieldSpec],
    /// The switches.
    pub switches: &'static [SwitchSpec],
    /// Switches that there were.
    pub retired: &'static [RetiredSwitch],
    /// The profiles; the first is the default, with no bug known.
    pub profiles: &'static [ProfileSpec],
    /// The documented races of the switches' variants.
    pub races: &'static [RaceSpec],
    /// The classes of objects.
    pub classes: &'static [ClassSpec],
    /// What [`pagerace_core::sync::Hook::outcome`] counts.
    pub outcomes: &'static [OutcomeSpec],
    /// The bytes of stack that one of its tasks may use in an optimized build.
    pub stack: usize,
}

impl Spec {
    /// Nothing at all, for `..Spec::EMPTY` in the tables of a subject that does without some parts.
    /// Not a spec to run: it lacks the name and the profile that each must have.
    pub const EMPTY: Self = Self {
        name: "",
        ops: &[],
        injected: &[],
        rights: &[],
        fields: &[],
        switches: &[],
        retired: &[],
        profiles: &[],
        races: &[],
        classes: &[],
        outcomes: &[],
        stack: 0,
    };

    /// The row of an operation, injected or not, by the number that cases have for it.
    ///
    /// # Panics
    /// If no row has this number.
    #[inline]
    #[must_use]
    pub fn row(&self, op: u8) -> &'static OpSpec {
        let op = usize::from(op);
        self.ops.get(op).unwrap_or_else(|| &self.injected[op - self.ops.len()].op)
    }

    /// All rows, in the order of their numbers.
    pub fn rows(&self) -> impl Iterator<Item = &'static OpSpec> {
        self.ops.iter().chain(self.injected.iter().map(|injected| &injected.op))
    }

    /// Whether the operation of this number is one that is injected.
    #[must_use]
    pub fn is_injected(&self, op: u8) -> bool {
        usize::from(op) >= self.ops.len()
    }

    /// The index of the operation of this name.
    #[must_use]
    pub fn op(&self, name: &str) -> Option<usize> {
        self.ops.iter().position(|op| op.name == name)
    }

    /// The index of the field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The index of the class of this name.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<usize> {
        self.classes.iter().position(|class| class.name == name)
    }

    /// The profile of this name.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&'static ProfileSpec> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// Whether an outcome can occur under a history.
    #[must_use]
    pub fn is_possible(&self, outcome: &OutcomeSpec, history: &[u8]) -> bool {
        let variant = outcome.only.and_then(|(switch, variant)| self.variant(switch, variant));
        variant.is_none_or(|(switch, variant)| history.get(switch) == Some(&variant))
    }

    /// The indices of a switch and of one of its variants.
    #[must_use]
    pub fn variant(&self, switch: &str, variant: &str) -> Option<(usize, u8)> {
        let at = self.switches.iter().position(|s| s.name == switch)?;
        let variant = self.switches[at].variants.iter().position(|v| v.name == variant)?;
        Some((at, variant as u8))
    }
}
