//! A case as canonical text.

use super::HEADER;
use crate::program::case::{Action, Case, Expect, OpId, OpInstance, Place, PolicyGene, Site};
use crate::subject::Spec;
use core::fmt::{self, Display, Formatter};

/// Prints a case in its canonical form, which parses to an equal case.
///
/// The case has to be one that [`Case::fit`] leaves as it is.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    /// The tables.
    pub spec: &'a Spec,
    /// The case.
    pub case: &'a Case,
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        f.write_str("\n")?;
        let places = (0..self.case.cpus).map(Place::Cpu);
        for place in core::iter::once(Place::Setup).chain(places) {
            let mut empty = true;
            for (id, op) in self.case.program(place) {
                if core::mem::take(&mut empty) {
                    writeln!(f, "{}:", PlaceName(place))?;
                }
                self.op(f, id, op)?;
            }
        }
        self.schedule(f)
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Text<'_> {
    fn head(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { spec, case } = self;
        writeln!(f, "{HEADER}")?;
        writeln!(f, "subject {}", spec.name)?;
        writeln!(f, "cpus {} first {}", case.cpus, case.first)?;
        for (field, value) in spec.fields.iter().zip(&case.fields) {
            writeln!(f, "field {}={value}", field.name)?;
        }
        for (switch, &variant) in spec.switches.iter().zip(&case.history) {
            let variant = switch.variants[usize::from(variant)].name;
            writeln!(f, "history {}={variant}", switch.name)?;
        }
        match &case.expect {
            None => Ok(()),
            Some(Expect::Pass) => writeln!(f, "expect pass"),
            Some(Expect::Finding(signature)) => writeln!(f, "expect {signature}"),
        }
    }

    fn op(&self, f: &mut Formatter<'_>, id: OpId, op: &OpInstance) -> fmt::Result {
        let row = self.spec.row(op.op);
        f.write_str("  ")?;
        if self.is_taken(id) {
            write!(f, "p{} = ", self.number(id))?;
        }
        f.write_str(row.name)?;
        match op.right {
            Some(right) => write!(f, " p{}", self.number(right))?,
            None if row.takes.is_empty() => {}
            None => f.write_str(" none")?,
        }
        for (operand, value) in row.operands.iter().zip(op.operands) {
            write!(f, " {}={value}", operand.name)?;
        }
        f.write_str("\n")
    }

    fn is_taken(&self, id: OpId) -> bool {
        self.case.ops.iter().any(|op| op.right == Some(id))
    }

    /// How many operations before this one are named.
    fn number(&self, id: OpId) -> usize {
        (0..id.0).filter(|&other| self.is_taken(OpId(other))).count()
    }

    fn schedule(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "schedule:")?;
        let (policy, one, two) = self.case.policy.numbers();
        let (name, first, second) = PolicyGene::NAMES[policy];
        write!(f, "  policy {name}")?;
        if !first.is_empty() {
            write!(f, " {first}={one}")?;
        }
        if let Some(second) = second {
            write!(f, " {second}={two}")?;
        }
        writeln!(f)?;
        for decision in &self.case.decisions {
            let place = self.case.ops[decision.at.op.index()].place;
            let first = self.case.ops.partition_point(|op| op.place < place);
            let number = decision.at.op.index() - first + 1;
            let site = SiteName { spec: self.spec, site: decision.at.site };
            write!(f, "  at {} op{number} {site}: ", PlaceName(place))?;
            match decision.action {
                Action::Run(cpu) => writeln!(f, "run cpu{cpu}")?,
                Action::Fail => writeln!(f, "fail")?,
            }
        }
        Ok(())
    }
}

/// Prints a place as blocks and decisions name it.
pub(super) struct PlaceName(pub Place);

impl Display for PlaceName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Place::Setup => f.write_str("setup"),
            Place::Cpu(cpu) => write!(f, "cpu{cpu}"),
        }
    }
}

struct SiteName<'a> {
    spec: &'a Spec,
    site: Site,
}

impl Display for SiteName<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.site {
            Site::Nth(nth) => write!(f, "point#{nth}"),
            Site::Named { class, kind, nth } => {
                let class = self.spec.classes[usize::from(class)].name;
                write!(f, "{class}.{}#{nth}", kind.name())
            }
        }
    }
}
