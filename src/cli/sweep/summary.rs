//! The end of a sweep, as text and as JSON.
//!
//! What it is not: a verdict; it prints what was counted.

use super::super::table::{counted, grouped, table};
use super::state::{Counter, Found, State};
use crate::program::text;
use crate::subject::Spec;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The summary for people. `runs` is the limit for one case.
pub fn text(spec: &Spec, state: &State, runs: u64, took: Duration) -> String {
    let n = |counter, one, many| counted(state.get(counter) as usize, one, many);
    let mut text = format!(
        "{} in {:.1} s: {}, a reference at {}\n",
        n(Counter::Cases, "case", "cases"),
        took.as_secs_f64(),
        n(Counter::Runs, "run", "runs"),
        n(Counter::Tried, "place", "places"),
    );
    if state.get(Counter::Shows) + state.get(Counter::TooLarge) > 0 {
        text.push_str(&format!(
            "left out: {} by themselves, {} too large\n",
            n(Counter::Shows, "case that shows something", "cases that show something"),
            n(Counter::TooLarge, "that is", "that are"),
        ));
    }
    let left = state.get(Counter::Places) - state.get(Counter::Tried);
    if left > 0 {
        text.push_str(&format!(
            "not tried to the end: {}; {} cut at {}, the other places are on frames that no case can \
             name, or the sweep was interrupted\n",
            counted(left as usize, "place", "places"),
            n(Counter::Cut, "case was", "cases were"),
            counted(runs as usize, "run", "runs"),
        ));
    }
    if state.found.is_empty() {
        text.push_str("nothing found\n");
    } else {
        text.push('\n');
        text.push_str(&findings(spec, state));
    }
    text
}

/// CPUs, operations and switches of a case in text.
fn size(spec: &Spec, case: &str) -> [usize; 3] {
    let document = text::parse(spec, case.as_bytes());
    document.map_or([0; 3], |document| {
        let case = document.case;
        [case.active_cpus(), case.ops.len(), case.switches()]
    })
}

fn findings(spec: &Spec, state: &State) -> String {
    let heads = ["finding", "kind", "runs", "first", "cpus", "ops", "switches", "without it"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for found in &state.found {
        let concrete = found.concrete.as_ref().map_or("-", |(signature, ..)| signature.as_str());
        let mut row = vec![
            found.signature.clone(),
            found.kind.clone(),
            grouped(found.count),
            grouped(found.first_case),
        ];
        row.extend(size(spec, &found.case).map(|n| n.to_string()));
        row.push(concrete.to_owned());
        rows.push(row);
    }
    table(&rows, &[2, 3, 4, 5, 6])
}

/// The summary for programs. Its keys are an interface: they are added to, never changed.
pub fn json(spec: &Spec, asked: &Map<String, Value>, state: &State, took: Duration) -> Value {
    let mut object = Map::new();
    object.insert("schema".to_owned(), json!(1));
    object.extend(asked.iter().map(|(key, value)| (key.clone(), value.clone())));
    object.insert("seconds".to_owned(), json!(took.as_secs_f64()));
    object.extend(state.counters());
    let findings: Vec<Value> = state.found.iter().map(|found| finding(spec, found)).collect();
    object.insert("findings".to_owned(), Value::Array(findings));
    Value::Object(object)
}

fn finding(spec: &Spec, found: &Found) -> Value {
    let sized = |case: &str, entry: &Option<String>| {
        let [cpus, ops, switches] = size(spec, case);
        json!({ "cpus": cpus, "ops": ops, "switches": switches, "entry": entry, "case": case })
    };
    let mut object = json!({
        "signature": found.signature,
        "class": found.class,
        "kind": found.kind,
        "first_case": found.first_case,
        "count": found.count,
    });
    let concrete = found.concrete.as_ref().map(|(signature, case, entry)| {
        let mut concrete = json!({ "signature": signature });
        extend(&mut concrete, sized(case, entry));
        concrete
    });
    extend(&mut object, sized(&found.case, &found.entry));
    extend(&mut object, json!({ "concrete": concrete }));
    object
}

fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
