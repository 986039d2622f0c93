//! What bytes mean for the subject `mm`, frozen: every operation and every field of the header, the
//! narrow and the wide genes, rights near and far, and what is void.
//!
//! `golden_wire.txt` holds the vectors. A change of them is a change of the wire: inputs that fuzzing
//! engines have collected mean something else from then on. There is no way to write the file anew;
//! where a vector differs, the test shows both texts.
//!
//! What it is not: a test of all byte strings. Those of the codec are, on a table made for that.

use pagerace::program::text::Text;
use pagerace::program::{Case, wire};
use pagerace::subject::mm::MmSubject;
use pagerace::subject::{Spec, Subject};
use std::collections::BTreeSet;

/// The fewest vectors there may be.
const VECTORS: usize = 40;

/// One vector: its name, its bytes, and the text that they mean.
struct Vector {
    name: &'static str,
    bytes: Vec<u8>,
    text: &'static str,
}

fn spec() -> &'static Spec {
    MmSubject::spec()
}

/// The vectors of the file: `== name`, a line of hexadecimal digits, and the text up to the next.
fn vectors() -> Vec<Vector> {
    let file = include_str!("golden_wire.txt");
    let vectors = file.split("\n== ").skip(1).map(|block| {
        let (name, rest) = block.split_once('\n').expect("a name ends its line");
        let (digits, text) = rest.split_once('\n').expect("bytes have a line");
        Vector { name, bytes: bytes(digits), text: text.trim_end() }
    });
    vectors.collect()
}

fn bytes(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits
        .chars()
        .filter(|digit| *digit != ' ')
        .map(|digit| digit.to_digit(16).unwrap_or_else(|| panic!("`{digit}` is no digit")))
        .collect();
    assert!(digits.len().is_multiple_of(2), "two digits make a byte");
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// The text of a case without what is the same for all bytes: the first lines, and the history, which
/// does not travel in bytes.
fn text(case: &Case) -> String {
    let text = Text { spec: spec(), case }.to_string();
    let same = |line: &&str| {
        line.starts_with("history ")
            || line.starts_with("subject ")
            || line.starts_with("pagerace ")
    };
    text.lines().filter(|line| !same(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn bytes_mean_what_they_meant() {
    let vectors = vectors();
    assert!(vectors.len() >= VECTORS, "only {} vectors", vectors.len());
    let mut changed = String::new();
    for Vector { name, bytes, text: frozen } in &vectors {
        let now = text(&wire::decode(spec(), bytes));
        if now != *frozen {
            changed.push_str(&format!("== {name}\nwas:\n{frozen}\nis:\n{now}\n"));
        }
    }
    assert!(changed.is_empty(), "{changed}");
}

#[test]
fn encoding_what_was_decoded_is_canonical() {
    for Vector { name, bytes, text: frozen } in vectors() {
        let case = wire::decode(spec(), &bytes);
        let canonical = wire::encode(spec(), &case);
        let again = wire::decode(spec(), &canonical);
        assert_eq!(again, case, "{name}");
        assert_eq!(text(&again), frozen, "{name}");
        assert_eq!(wire::encode(spec(), &again), canonical, "{name}");
    }
}

#[test]
fn no_operation_and_no_field_is_left_out() {
    let vectors = vectors();
    let names: BTreeSet<&str> = vectors.iter().map(|vector| vector.name).collect();
    assert_eq!(names.len(), vectors.len(), "names are unique");
    let cases: Vec<Case> = vectors.iter().map(|v| wire::decode(spec(), &v.bytes)).collect();
    for (at, op) in spec().ops.iter().enumerate() {
        let mut found = cases.iter().flat_map(|case| &case.ops).filter(|i| usize::from(i.op) == at);
        assert!(
            found.any(|i| op.takes.is_empty() || i.right.is_some()),
            "no vector has {}",
            op.name
        );
    }
    for (at, field) in spec().fields.iter().enumerate() {
        for value in field.values {
            let found = cases.iter().any(|case| case.fields[at] == *value);
            assert!(found, "no vector has {}={value}", field.name);
        }
    }
    for cpus in 1..=4 {
        assert!(cases.iter().any(|case| case.cpus == cpus), "no vector has {cpus} CPUs");
    }
}
