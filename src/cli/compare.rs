//! `compare`: what two histories show on the same cases.
//!
//! The cases are the fresh ones of a seed, which no history has a part in; each is run and judged under both.
//!
//! What it is not: a campaign. Nothing is edited, reduced or kept.

use super::hunt::draw_seed;
use super::judged::Bench;
use super::output::{Error, Output};
use super::races::pretty;
use super::table::{counted, grouped, table};
use super::{Verdict, args, input};
use crate::oracle::Signature;
use crate::program::Case;
use crate::program::generate::{Fixed, Generator};
use crate::program::text::Document;
use crate::subject::Subject;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The most cases that stand for a difference.
const EXAMPLES: usize = 3;
/// Cases run in one execution of the executor.
const CASES_PER_SESSION: u64 = 256;

/// One of the two histories.
struct Side<'a> {
    /// As it was asked for, which is how a hunt prints it, too.
    label: &'a str,
    /// What takes a case to it on another command line.
    options: String,
    /// The index of the variant of each switch.
    history: Vec<u8>,
}

impl<'a> Side<'a> {
    fn new<S: Subject>(label: &'a str) -> Self {
        let asked = input::parse_history(S::spec(), label);
        let asked = asked.expect("the command line refuses other labels");
        let mut case = Case::empty(S::spec());
        input::set_history(S::spec(), &mut case, &asked);
        let profile = asked.profile.iter().map(|profile| format!("--profile {profile}"));
        let set = asked.set.iter().map(|set| format!("--set {set}"));
        let options = profile.chain(set).collect::<Vec<_>>().join(" ");
        Self { label, options, history: case.history }
    }
}

/// What a case shows under both histories.
type Shown = [Option<Signature>; 2];

/// A way in which cases differ.
#[derive(Default)]
struct Difference {
    count: u64,
    /// The first of them, with their numbers, from one.
    examples: Vec<(u64, Case)>,
}

/// What came out of it.
#[derive(Default)]
struct Comparison {
    executions: u64,
    /// How many cases show something, by what they show.
    signatures: BTreeMap<String, [u64; 2]>,
    differences: BTreeMap<[String; 2], Difference>,
}

/// Runs the same cases under two histories.
pub fn run<S: Subject>(args: &args::Compare, program: &str) -> Result<Verdict, Error> {
    let out = if args.json { Output::stderr() } else { Output::stdout() };
    let sides = [Side::new::<S>(&args.first), Side::new::<S>(&args.second)];
    let seed = args.seed.unwrap_or_else(draw_seed);
    let again = if args.seed.is_none() {
        format!(" (drawn; --seed {seed} runs the same)")
    } else {
        String::new()
    };
    out.line(&format!(
        "{} and {}, {} cases\nseed {seed}{again}\n",
        args.first,
        args.second,
        grouped(args.executions)
    ))?;
    let comparison = compare::<S>(args, &sides, seed);
    out.print(&comparison.text::<S>(&sides, program))?;
    if args.json {
        Output::stdout().print(&pretty(&comparison.object::<S>(&sides, seed)))?;
    }
    Ok(Verdict::found(comparison.differ() > 0))
}

fn compare<S: Subject>(args: &args::Compare, sides: &[Side<'_>; 2], seed: u64) -> Comparison {
    let fixed = Fixed { cpus: args.cpus, fields: args.fields.clone() };
    let mut generator = Generator::new(S::spec(), seed, fixed);
    let mut bench = Bench::<S>::new();
    let mut comparison = Comparison::default();
    let mut case = Case::empty(S::spec());
    while comparison.executions < args.executions {
        let Bench { executor, examiner } = &mut bench;
        executor.session(|session| {
            let left = args.executions - comparison.executions;
            for _ in 0..left.min(CASES_PER_SESSION) {
                generator.fill(&mut case);
                let shown = sides.each_ref().map(|side| {
                    case.history.clone_from(&side.history);
                    examiner.examine(session, &case).map(|finding| finding.signature)
                });
                // As it is where it shows something.
                case.history.clone_from(&sides[usize::from(shown[0].is_none())].history);
                comparison.enter(&case, &shown);
            }
        });
    }
    comparison
}

fn name(shown: Option<&Signature>) -> String {
    shown.map_or_else(|| "-".to_owned(), Signature::to_string)
}

impl Comparison {
    fn enter(&mut self, case: &Case, shown: &Shown) {
        self.executions += 1;
        for (at, signature) in shown.iter().enumerate() {
            if let Some(signature) = signature {
                self.signatures.entry(signature.to_string()).or_default()[at] += 1;
            }
        }
        if shown[0] == shown[1] {
            return;
        }
        let difference =
            self.differences.entry(shown.each_ref().map(|s| name(s.as_ref()))).or_default();
        difference.count += 1;
        if difference.examples.len() < EXAMPLES {
            difference.examples.push((self.executions, case.clone()));
        }
    }

    /// How many cases differ.
    fn differ(&self) -> u64 {
        self.differences.values().map(|difference| difference.count).sum()
    }

    fn text<S: Subject>(&self, sides: &[Side<'_>; 2], program: &str) -> String {
        let [first, second] = sides.each_ref().map(|side| side.label);
        let differ = counted(self.differ() as usize, "case differs", "cases differ");
        let mut text = format!("{differ} of {}\n", grouped(self.executions));
        if !self.signatures.is_empty() {
            let mut rows = vec![["signature", first, second].map(str::to_owned).to_vec()];
            rows.extend(self.signatures.iter().map(|(signature, counts)| {
                let [a, b] = counts.map(grouped);
                vec![signature.clone(), a, b]
            }));
            text.push_str(&format!("\n{}", table(&rows, &[1, 2])));
        }
        if self.differences.is_empty() {
            return text;
        }
        let mut rows = vec![[first, second, "cases", "the first"].map(str::to_owned).to_vec()];
        rows.extend(self.differences.iter().map(|([a, b], difference)| {
            let numbers: Vec<String> =
                difference.examples.iter().map(|(number, _)| number.to_string()).collect();
            vec![a.clone(), b.clone(), grouped(difference.count), numbers.join(", ")]
        }));
        text.push_str(&format!("\n{}", table(&rows, &[2])));
        // One of each difference, the most frequent first.
        let mut by_count: Vec<_> = self.differences.iter().collect();
        by_count.sort_by_key(|(_, difference)| std::cmp::Reverse(difference.count));
        for ([a, b], difference) in by_count.into_iter().take(EXAMPLES) {
            let (number, case) = &difference.examples[0];
            let what = format!("case {number}: {a} on {first}, {b} on {second}");
            let mut document = Document::new(case.clone());
            document.comment(&what);
            text.push_str(&format!("\n{}", document.print(S::spec())));
            let other = &sides[usize::from(a != "-")];
            text.push_str(&format!(
                "\nKept as FILE, see it with `{program} show FILE`, and on {} with\n\
                 `{program} show FILE {}`\n",
                other.label, other.options
            ));
        }
        text
    }

    fn object<S: Subject>(&self, sides: &[Side<'_>; 2], seed: u64) -> Value {
        let [first, second] = sides.each_ref().map(|side| side.label);
        let shown = |name: &String| (name != "-").then(|| name.clone());
        let difference = |([a, b], difference): (&[String; 2], &Difference)| {
            let text = |(_, case): &(u64, Case)| Document::new(case.clone()).print(S::spec());
            json!({
                "first": shown(a),
                "second": shown(b),
                "count": difference.count,
                "cases": difference.examples.iter().map(|(number, _)| number).collect::<Vec<_>>(),
                "examples": difference.examples.iter().map(text).collect::<Vec<_>>(),
            })
        };
        let signature = |(signature, [a, b]): (&String, &[u64; 2])| json!({ "signature": signature, "first": a, "second": b });
        json!({
            "schema": 1,
            "subject": S::spec().name,
            "first": first,
            "second": second,
            "seed": seed,
            "executions": self.executions,
            "differ": self.differ(),
            "signatures": self.signatures.iter().map(signature).collect::<Vec<_>>(),
            "differences": self.differences.iter().map(difference).collect::<Vec<_>>(),
        })
    }
}
