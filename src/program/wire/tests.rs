//! The properties of the codec, over random bytes and cases far wider than generated ones.

use super::*;
use crate::program::rng::Rng;
use crate::program::toy::{SPEC, any_case};

fn random_bytes(rng: &mut Rng) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..rng.below(200)).map(|_| rng.bits() as u8).collect();
    for byte in &mut bytes {
        // Enough of the marks to meet all shapes of records.
        match rng.below(16) {
            0 => *byte = NO_OP,
            1 => *byte = MORE,
            2..8 => *byte %= 8,
            _ => {}
        }
    }
    bytes
}

#[test]
fn no_bytes_are_the_empty_case() {
    assert_eq!(decode(&SPEC, &[]), Case::empty(&SPEC));
}

#[test]
fn every_byte_string_is_a_fitting_case_and_its_encoding_is_canonical() {
    let mut rng = Rng::new(1);
    let mut reused = Case::empty(&SPEC);
    for _ in 0..20_000 {
        let bytes = random_bytes(&mut rng);
        let case = decode(&SPEC, &bytes);
        let mut fitted = case.clone();
        fitted.fit(&SPEC);
        assert_eq!(case, fitted, "{bytes:?}");
        decode_into(&SPEC, &bytes, &mut reused);
        assert_eq!(case, reused, "a reused case keeps nothing: {bytes:?}");
        let canonical = encode(&SPEC, &case);
        assert_eq!(decode(&SPEC, &canonical), case, "{bytes:?}");
        assert_eq!(encode(&SPEC, &decode(&SPEC, &canonical)), canonical);
    }
}

#[test]
fn cases_survive_bytes() {
    let mut rng = Rng::new(2);
    let (mut named, mut far, mut many) = (0, 0, 0);
    for _ in 0..20_000 {
        let case = any_case(&mut rng);
        assert_eq!(decode(&SPEC, &encode(&SPEC, &case)), case);
        named += case.decisions.iter().filter(|d| matches!(d.at.site, Site::Named { .. })).count();
        far += case.decisions.iter().filter(|d| d.at.site > Site::Nth(NEAR_POINTS)).count();
        many += usize::from(case.decisions.len() > 200);
    }
    assert!(named > 1000 && far > 1000 && many > 100, "{named} {far} {many}");
}

/// One operation with all that belongs to it: its right by position among the records.
type Whole = (OpInstance, Option<u32>, Vec<(Site, Action)>);

/// The operations by position among the records.
fn wholes(bytes: &[u8]) -> Vec<Option<Whole>> {
    let mut case = decode(&SPEC, bytes);
    let tail = bytes.get(header_len(&SPEC)..).unwrap_or(&[]);
    let at: Vec<u32> = records(tail).filter(|(_, r)| shape(r) == Shape::Op).map(|x| x.0).collect();
    // The order that normalizing gave: stable by place.
    case.ops.clear();
    decode_ops(&SPEC, tail, &mut case);
    let mut order: Vec<usize> = (0..at.len()).collect();
    order.sort_by_key(|&i| case.ops[i].place);
    let mut wholes = vec![None; tail.len().div_ceil(RECORD)];
    for (to, &from) in order.iter().enumerate() {
        let op = case.ops[from];
        let genes = case.decisions.iter().filter(|d| d.at.op.index() == to);
        let genes = genes.map(|d| (d.at.site, d.action)).collect();
        let right = op.right.map(|r| at[r.index()]);
        wholes[at[from] as usize] = Some((OpInstance { right: None, ..op }, right, genes));
    }
    wholes
}

#[test]
fn one_changed_byte_changes_one_operation_one_decision_or_one_field() {
    let mut rng = Rng::new(3);
    let mut changed = 0;
    for _ in 0..30_000 {
        let mut bytes = random_bytes(&mut rng);
        if rng.chance(128) {
            bytes = encode(&SPEC, &any_case(&mut rng));
        }
        if bytes.is_empty() {
            continue;
        }
        let at = rng.below(bytes.len());
        let before = bytes.clone();
        let random = rng.bits() as u8;
        bytes[at] = rng.pick(&[random, 0, NO_OP, MORE, bytes[at] ^ 1]);
        let (old, new) = (decode(&SPEC, &before), decode(&SPEC, &bytes));
        let (a, b) = (wholes(&before), wholes(&bytes));
        let fields = old.fields.iter().zip(&new.fields).filter(|(a, b)| a != b).count();
        let header = fields
            + usize::from(old.cpus != new.cpus)
            + usize::from(old.cpus == new.cpus && old.first != new.first)
            + usize::from(old.policy != new.policy);
        let full = old.ops.len() == MAX_OPS || new.ops.len() == MAX_OPS;
        let mut ops = 0;
        for (a, b) in a.iter().zip(&b).filter(|_| old.cpus == new.cpus && !full) {
            let same_place = |a: &Whole, b: &Whole| a.0 == b.0 && a.1 == b.1;
            ops += match (a, b) {
                // A name of a record that is no operation any more (or again) names nothing.
                (Some(a), Some(b)) => usize::from(
                    !(same_place(a, b) || a.0 == b.0 && (a.1.is_none() || b.1.is_none()))
                        || a.2 != b.2,
                ),
                (None, None) => 0,
                _ => 1,
            };
        }
        assert!(ops + header <= 1, "byte {at}: {before:?} -> {:?}", bytes[at]);
        changed += ops + header;
    }
    assert!(changed > 10_000, "the bytes mean something: {changed}");
}

#[test]
fn a_changed_gene_changes_one_decision() {
    let mut rng = Rng::new(4);
    for _ in 0..20_000 {
        let case = any_case(&mut rng);
        let mut bytes = encode(&SPEC, &case);
        if case.ops.is_empty() || case.ops.len() == MAX_OPS {
            continue;
        }
        let record = rng.below((bytes.len() - header_len(&SPEC)) / RECORD);
        let at = header_len(&SPEC) + record * RECORD + GENES.0 + rng.below(9);
        bytes[at] = rng.bits() as u8;
        let new = decode(&SPEC, &bytes);
        let gone = case.decisions.iter().filter(|d| !new.decisions.contains(d)).count();
        let come = new.decisions.iter().filter(|d| !case.decisions.contains(d)).count();
        // Of two genes for one point the first counts: a gene may come to hide another.
        let hidden = usize::from(new.decisions.len() < case.decisions.len());
        assert!(gone <= 1 + hidden && come <= 1, "byte {at} of {bytes:?}");
        assert_eq!(case.ops, new.ops);
    }
}

/// Literal bytes and the lines of text that they mean, worked out by hand from the file's table.
#[test]
fn the_layout_is_frozen() {
    let shown = |header: [u8; 9], records: &[[u8; RECORD]]| {
        let bytes = [&header[..], &records.concat()].concat();
        crate::program::text::Text { spec: &SPEC, case: &decode(&SPEC, &bytes) }.to_string()
    };
    let plain = |header, line: &str| {
        let text = shown(header, &[]);
        assert!(text.lines().any(|l| l.trim() == line), "{line}\n{text}");
    };
    plain([0, 0, 0, 0, 0, 0, 0, 0, 0], "cpus 2 first 0");
    plain([13, 7, 0, 0, 0, 0, 0, 0, 0], "cpus 1 first 0");
    plain([14, 2, 0, 0, 0, 0, 0, 0, 0], "cpus 3 first 2");
    plain([31, 7, 0, 0, 0, 0, 0, 0, 0], "cpus 4 first 3");
    plain([0, 0, 1, 3, 1, 9, 0, 0, 0], "policy walk seed=259 rate=9");
    plain([0, 0, 2, 3, 1, 9, 0, 0, 0], "policy pos seed=259");
    plain([0, 0, 3, 3, 1, 9, 0, 0, 0], "policy pct seed=259 depth=9");
    plain([0, 0, 11, 3, 1, 9, 0, 0, 0], "policy urw seed=259");
    plain([0, 0, 5, 3, 1, 9, 0, 0, 0], "policy surw seed=259 class=9");
    plain([0, 0, 6, 3, 1, 9, 0, 0, 0], "policy periods number=259");
    plain([0, 0, 0, 0, 0, 0, 3, 0, 0], "field frames=8");
    plain([0, 0, 0, 0, 0, 0, 0xc0, 0, 0], "field frames=64");
    plain([0, 0, 0, 0, 0, 0, 0, 0xc0, 0], "field indices=8");
    plain([0, 0, 0, 0, 0, 0, 0, 0, 5], "field pcp_batch=2");
    let body = |records: &[[u8; RECORD]], lines: &str| {
        let text = shown([0; 9], records);
        assert_eq!(text.split_once("\n\n").unwrap().1, lines);
    };
    body(
        &[
            [0xc0, 2, 3, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [0, 3, 0, 1, 0, 0x80, 20, 0xe0, 17, 0, 1, 2, 0, 0, 0, 0],
        ],
        "setup:\n  add mapping=1 index=1\ncpu0:\n  lookup mapping=0 index=1\ncpu1:\n  p0 = alloc order=2\n  \
         free_pages p0\nschedule:\n  policy stay\n  at cpu0 op1 point#1: run cpu1\n  \
         at cpu0 op1 point#2: run cpu1\n  at cpu0 op1 refcount.inc_not_zero#1: fail\n  \
         at cpu1 op2 point#1: run cpu0\n",
    );
    body(
        &[
            [0, 5, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [0, 255, 1, 0, 0, 44, 1, 0, 0x80, 2, 10, 7, 0, 0xe0, 0, MORE],
            [0, 255, 1, 0, 0, 44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ],
        "cpu0:\n  put_page p0\ncpu1:\n  p0 = lookup mapping=0 index=0\nschedule:\n  policy stay\n  \
         at cpu1 op1 point#300: run cpu0\n  at cpu1 op1 zone_lock.lock#7: fail\n",
    );
}
