//! What stands in the blocks of a text: operations, and the schedule.

use super::error::{Word, shorten};
use super::parse::{Parser, Result, end, known, number};
use super::print::PlaceName;
use crate::program::case::{
    Action, Decision, Key, MAX_DECISIONS, MAX_OPS, OpId, OpInstance, Place, PolicyGene, Site,
};
use crate::subject::{MAX_OPERANDS, OpSpec};
use pagerace_core::sync::Kind;

impl<'a> Parser<'a> {
    pub(super) fn op(&mut self, place: Place, words: &[Word<'a>]) -> Result<()> {
        let id = OpId(self.case.ops.len() as u8);
        if self.case.ops.len() == MAX_OPS {
            let message = format!("a case has at most {MAX_OPS} operations");
            return Err(words[0].error(message, "remove operations"));
        }
        let call = match words {
            [name, equals, call @ ..] if equals.text == "=" => {
                self.name(*name, id)?;
                call
            }
            call => call,
        };
        let Some((&name, arguments)) = call.split_first() else {
            return Err(words[1]
                .end()
                .error("there is no operation here", "write `p0 = OPERATION`"));
        };
        let names: Vec<&str> = self.spec.rows().map(|op| op.name).collect();
        let op = known(name, "operation", &names)?;
        let row = self.spec.row(op as u8);
        let mut instance =
            OpInstance { place, op: op as u8, operands: [0; MAX_OPERANDS], right: None };
        let mut given = [false; MAX_OPERANDS];
        let mut right = None;
        for &argument in arguments {
            match argument.split_once('=') {
                Some((name, value)) => {
                    operand(row, name, value, &mut instance.operands, &mut given)?;
                }
                None if row.takes.is_empty() || right.is_some() => {
                    let message = format!("`{}` takes no such right", row.name);
                    return Err(argument.error(message, "remove it, or write NAME=VALUE"));
                }
                None => right = Some(argument),
            }
        }
        let after = words[words.len() - 1].end();
        if let Some(missing) = row.operands.iter().zip(given).find(|(_, given)| !given) {
            let message = format!("`{}` needs `{}`", row.name, missing.0.name);
            return Err(after.error(message, format!("add `{}=0`", missing.0.name)));
        }
        match right {
            Some(word) if word.text != "none" => self.taken.push((id, word)),
            None if !row.takes.is_empty() => {
                let help = "add the name of the result it takes, or `none`";
                return Err(after.error(format!("`{}` takes a right", row.name), help));
            }
            _ => {}
        }
        self.case.ops.push(instance);
        Ok(())
    }

    fn name(&mut self, word: Word<'a>, id: OpId) -> Result<()> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if word.text == "none" || !word.text.chars().all(fits) {
            let help = "use letters, digits and `_`, such as `p0`";
            return Err(word.error("this cannot be the name of a result", help));
        }
        if self.named.insert(word.text, id).is_some() {
            let message = format!("`{}` names two results", shorten(word.text));
            return Err(word.error(message, "name them differently"));
        }
        Ok(())
    }

    pub(super) fn scheduled(&mut self, words: Vec<Word<'a>>) -> Result<()> {
        match words[0].text {
            "policy" => {
                self.once(words[0], "policy".to_owned())?;
                self.case.policy = policy(&words)?;
                Ok(())
            }
            "at" if self.decisions.len() == MAX_DECISIONS => {
                let message = format!("a case has at most {MAX_DECISIONS} decisions");
                Err(words[0].error(message, "remove decisions"))
            }
            "at" => {
                self.decisions.push(words);
                Ok(())
            }
            _ => Err(words[0].unknown("line", &["policy", "at"])),
        }
    }

    /// `cpu1`: which.
    pub(super) fn cpu(&self, word: Word<'_>) -> Result<u8> {
        let last = self.case.cpus - 1;
        let cpu = word.text.strip_prefix("cpu").and_then(|n| n.parse().ok());
        cpu.filter(|&cpu| cpu <= last && word.text.len() == 4).ok_or_else(|| {
            let message = format!("there is no CPU `{}`", shorten(word.text));
            word.error(
                message,
                format!("CPUs are cpu0 to cpu{last}; `cpus N first 0` says how many"),
            )
        })
    }

    /// `at PLACE opN SITE: ACTION`.
    pub(super) fn decision(&self, words: &[Word<'a>]) -> Result<Decision> {
        let &[_, place, op, site, ref action @ ..] = words else {
            let help = "write `at cpu1 op2 refcount.dec#1: run cpu0`";
            return Err(words[words.len() - 1].end().error("the decision is not complete", help));
        };
        let on = match place.text {
            "setup" => Place::Setup,
            _ => Place::Cpu(self.cpu(place)?),
        };
        let op = self.numbered(on, op)?;
        let Some((site, rest)) = site.split_once(':').filter(|(_, rest)| rest.text.is_empty())
        else {
            return Err(site
                .end()
                .error("there is no `:` after the access", "write `ACCESS: run cpu0`"));
        };
        let action = match action {
            [fail] if fail.text == "fail" => Action::Fail,
            &[run, cpu] if run.text == "run" => {
                let to = self.cpu(cpu)?;
                match on {
                    Place::Setup => {
                        return Err(run.error("the set-up runs alone", "remove the decision"));
                    }
                    Place::Cpu(on) if on == to => {
                        let help = "staying needs no decision; remove it";
                        return Err(cpu.error("this CPU is running already", help));
                    }
                    Place::Cpu(_) => Action::Run(to),
                }
            }
            [] => return Err(rest.error("there is no action", "write `run cpu0` or `fail`")),
            [first, ..] => {
                return Err(first.error("this is no action", "write `run cpu0` or `fail`"));
            }
        };
        Ok(Decision { at: Key { op, site: self.site(site)? }, action })
    }

    /// `op2`: the second operation of its block.
    fn numbered(&self, place: Place, word: Word<'_>) -> Result<OpId> {
        let n: Option<usize> = word.text.strip_prefix("op").and_then(|n| n.parse().ok());
        let found = n.and_then(|n| self.case.program(place).nth(n.checked_sub(1)?));
        found.map(|(id, _)| id).ok_or_else(|| {
            let count = self.case.program(place).count();
            let name = PlaceName(place);
            let message = format!("{name} has no operation `{}`", shorten(word.text));
            let help = match count {
                0 => format!("{name} has no operations; remove the decision"),
                _ => format!("its operations are op1 to op{count}"),
            };
            word.error(message, help)
        })
    }

    fn site(&self, word: Word<'_>) -> Result<Site> {
        let Some((what, nth)) = word.split_once('#') else {
            return Err(word.error("there is no `#`", "write `refcount.dec#1` or `point#5`"));
        };
        if what.text == "point" {
            return Ok(Site::Nth(number(nth, "a point", 1, u32::from(u16::MAX))? as u16));
        }
        let Some((class, kind)) = what.split_once('.') else {
            return Err(what.error("there is no `.`", "write `refcount.dec#1` or `point#5`"));
        };
        let classes: Vec<&str> = self.spec.classes.iter().map(|class| class.name).collect();
        let class = known(class, "class of objects", &classes)? as u8;
        let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.is_point()).collect();
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let kind = kinds[known(kind, "kind of access", &names)?];
        let nth = number(nth, "an access", 1, u32::from(u8::MAX))? as u8;
        Ok(Site::Named { class, kind, nth })
    }
}

fn operand(
    row: &OpSpec,
    name: Word<'_>,
    value: Word<'_>,
    operands: &mut [u32],
    given: &mut [bool],
) -> Result<()> {
    let names: Vec<&str> = row.operands.iter().map(|operand| operand.name).collect();
    let at = known(name, "operand", &names)?;
    if core::mem::replace(&mut given[at], true) {
        return Err(name.error("this operand is stated twice", "remove one of the two"));
    }
    operands[at] = number(value, name.text, 0, row.operands[at].limit - 1)?;
    Ok(())
}

fn policy(words: &[Word<'_>]) -> Result<PolicyGene> {
    let name = words.get(1).copied().unwrap_or(words[0].end());
    let parameter = |at: usize, key: &str, last: u32| {
        let word = words.get(at).copied().unwrap_or(words[words.len() - 1].end());
        match word.split_once('=').filter(|(name, _)| name.text == key) {
            Some((_, value)) => number(value, key, 0, last),
            None => {
                Err(word.error(format!("here stands `{key}=NUMBER`"), format!("write `{key}=0`")))
            }
        }
    };
    let policy = known(name, "policy", &PolicyGene::NAMES.map(|(name, ..)| name))?;
    let (_, first, second) = PolicyGene::NAMES[policy];
    let mut length = 2;
    let mut number = |name: &str, last: u32| {
        length += 1;
        parameter(length - 1, name, last)
    };
    let one = if first.is_empty() { 0 } else { number(first, u32::from(u16::MAX))? };
    let two = second.map_or(Ok(0), |second| number(second, u32::from(u8::MAX)))?;
    end(words, length)?;
    Ok(PolicyGene::of(policy, one as u16, two as u8))
}
