//! The end of a campaign, as text and as JSON.
//!
//! What it is not: a verdict on anything; it prints what the campaign counted.

use super::table::{grouped, table};
use crate::campaign::Summary;
use crate::subject::Spec;
use serde_json::{Map, Value, json};

/// How a campaign was asked for.
pub struct Asked<'a> {
    /// The profile, with what was set apart from it.
    pub profile: &'a str,
    /// What that means, switch by switch.
    pub history: &'a [u8],
    /// The seed.
    pub seed: u64,
    /// How many jobs.
    pub jobs: usize,
}

/// The summary for people.
pub fn text(spec: &Spec, history: &[u8], summary: &Summary) -> String {
    let mut text = format!(
        "{} cases in {:.1} s, {}/s; {} operations, {} % of them skipped; {} cases run twice\n",
        grouped(summary.executions),
        summary.seconds,
        grouped(summary.rate() as u64),
        grouped(summary.ops),
        percent(summary.skipped_ops, summary.ops),
        grouped(summary.compared),
    );
    if summary.rows.is_empty() {
        text.push_str("nothing found\n");
    } else {
        text.push('\n');
        text.push_str(&findings(summary));
    }
    if !spec.outcomes.is_empty() {
        text.push_str("\nwhat the cases exercised:\n");
        text.push_str(&outcomes(spec, history, summary));
    }
    text
}

fn percent(part: u64, all: u64) -> u64 {
    (part * 100 + all / 2).checked_div(all).unwrap_or(0)
}

fn findings(summary: &Summary) -> String {
    let heads = ["finding", "kind", "cases", "first", "after", "cpus", "ops", "switches"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for row in &summary.rows {
        rows.push(vec![
            row.signature.to_string(),
            row.kind.to_string(),
            grouped(row.count),
            grouped(row.first_execution),
            format!("{:.2} s", row.first_seconds),
            row.cpus.to_string(),
            row.ops.to_string(),
            row.switches.to_string(),
        ]);
    }
    table(&rows, &[2, 3, 4, 5, 6, 7])
}

/// The outcomes that can occur under a history, and how often they did.
fn possible<'a>(
    spec: &'a Spec,
    history: &'a [u8],
    summary: &'a Summary,
) -> impl Iterator<Item = (&'static str, u64)> + 'a {
    let outcomes = spec.outcomes.iter().zip(&summary.outcomes);
    let possible = outcomes.filter(|(outcome, _)| spec.is_possible(outcome, history));
    possible.map(|(outcome, &count)| (outcome.name, count))
}

/// Two outcomes a line.
fn outcomes(spec: &Spec, history: &[u8], summary: &Summary) -> String {
    let cells: Vec<[String; 2]> = possible(spec, history, summary)
        .map(|(name, count)| [format!("  {name}"), grouped(count)])
        .collect();
    let half = cells.len().div_ceil(2);
    let rows: Vec<Vec<String>> = (0..half)
        .map(|at| cells[at].iter().chain(cells.get(at + half).into_iter().flatten()))
        .map(|row| row.cloned().collect())
        .collect();
    table(&rows, &[1, 3])
}

/// The summary for programs. Its keys are an interface: they are added to, never changed.
pub fn json(spec: &Spec, asked: &Asked<'_>, summary: &Summary) -> Value {
    let findings: Vec<Value> = summary
        .rows
        .iter()
        .map(|row| {
            json!({
                "signature": row.signature.as_str(),
                "class": row.class.name(),
                "kind": row.kind.to_string(),
                "first_execution": row.first_execution,
                "first_seconds": row.first_seconds,
                "cpus": row.cpus,
                "ops": row.ops,
                "switches": row.switches,
                "entry": row.entry,
                "count": row.count,
            })
        })
        .collect();
    let outcomes: Map<String, Value> = possible(spec, asked.history, summary)
        .map(|(name, count)| (name.to_owned(), json!(count)))
        .collect();
    json!({
        "schema": 1,
        "profile": asked.profile,
        "seed": asked.seed,
        "executions": summary.executions,
        "seconds": summary.seconds,
        "executions_per_second": summary.rate(),
        "findings": findings,
        "jobs": asked.jobs,
        "skipped_ops": summary.skipped_ops,
        "outcomes": outcomes,
        "ops": summary.ops,
        "compared": summary.compared,
    })
}
