//! Bytes to cases and back. Every byte string is a case.
//!
//! What it is not: a format to keep. Its meaning follows the operation table of this version; what
//! is kept is text. History and `expect` do not travel in bytes.
//!
//! Missing bytes read as zero, and zero is the simplest of everything: two CPUs, stay, no operand.
//!
//! ```text
//! header   0      CPUs (CPUS)              1      first CPU, modulo
//!          2      policy, modulo           3..5   its first number, little endian
//!          5      its second number        6..    one byte for each field of the spec
//! record   0      place: below 0xc0 a CPU, modulo; else the set-up
//!          1      operation, modulo        2..4   operands, modulo their limits
//!          4      right: 0 none, 1 the record before, 255 the record after
//!          5..14  three narrow genes (access, site, action)
//!          14     high part of a far `right`          15     unused
//! more     1      255                      2..14  two wide genes of the operation before it
//!          15     MORE                     0, 14  unused
//! gene     access 0: none; 1..128: that point, folded to 1..=16; else a named site, its number
//!          folded to 1..=4; site: class * point kinds + kind, modulo; action: below 0xe0 run
//!          another CPU, counted from the own one, modulo; else fail
//! wide     tag (0 none, 1..128 point, else named), class, kind, number (2 bytes), action
//! ```
//!
//! Folding makes random bytes hit real points; what it hides is written as a wide gene. A record
//! with only one of the two marks of `more` is void: it holds its position, and `more` records after
//! it belong to nobody. So a changed byte never turns an operation into genes of its neighbour,
//! references count records and keep their meaning, and any byte changes at most one operation (with
//! its own genes), one decision or one field. What follows from it elsewhere: the count of CPUs
//! re-places operations by modulo, a 65th operation is dropped, and of two genes for one point the
//! first counts.

use super::case::{
    Action, Case, Decision, Key, MAX_OPS, OpId, OpInstance, Place, PolicyGene, Site,
};
use crate::subject::{FieldSpec, MAX_OPERANDS, Spec};
use pagerace_core::sync::Kind;

/// The bytes of a record.
pub const RECORD: usize = 16;

/// The bytes before the first record.
#[must_use]
pub const fn header_len(spec: &Spec) -> usize {
    FIXED_HEADER + spec.fields.len()
}

const FIXED_HEADER: usize = 6;
/// What the first byte means, modulo. Mostly two: more CPUs have more schedules, not more races.
const CPUS: [u8; 16] = [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 3, 4];
/// From here on a field byte means a value that is asked for, not drawn; elsewhere such values,
/// which may be large, would slow a campaign on random bytes.
const SCALE: u8 = 0xc0;
/// From here on a place is the set-up.
const SETUP: u8 = 0xc0;
/// From here on an action is to fail.
const FAIL: u8 = 0xe0;
/// The operation byte of `more` and void records.
const NO_OP: u8 = 0xff;
/// The second mark of `more` records.
const MORE: u8 = 0xa7;
/// Narrow genes reach this many points.
const NEAR_POINTS: u16 = 16;
/// Narrow genes reach this many accesses of one site.
const NEAR_NTH: u8 = 4;

/// Where genes start in a record, and their size.
const GENES: (usize, usize) = (5, 3);
const WIDE_GENES: (usize, usize) = (2, 6);

/// The kinds of access that are points, in the order of their discriminants.
const POINT_KINDS: [Kind; 15] = {
    let mut kinds = [Kind::Load; 15];
    let (mut from, mut to) = (0, 0);
    while from < Kind::ALL.len() {
        if Kind::ALL[from].is_point() {
            kinds[to] = Kind::ALL[from];
            to += 1;
        }
        from += 1;
    }
    assert!(to == kinds.len());
    kinds
};

/// The case that these bytes mean.
#[must_use]
pub fn decode(spec: &Spec, bytes: &[u8]) -> Case {
    let mut case = Case::empty(spec);
    decode_into(spec, bytes, &mut case);
    case
}

/// [`decode`] into a case whose buffers are reused. All of it is overwritten: history becomes the
/// default profile's, and nothing is expected.
pub fn decode_into(spec: &Spec, bytes: &[u8], case: &mut Case) {
    debug_assert!(spec.ops.len() < usize::from(NO_OP), "operation bytes leave 255 free");
    case.clear(spec);
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    case.cpus = CPUS[usize::from(byte(0)) % CPUS.len()];
    case.first = byte(1) % case.cpus;
    let seed = u16::from_le_bytes([byte(3), byte(4)]);
    case.policy = PolicyGene::of(usize::from(byte(2)), seed, byte(5));
    for (at, field) in spec.fields.iter().enumerate() {
        case.fields[at] = field_value(field, byte(FIXED_HEADER + at));
    }
    let records = bytes.get(header_len(spec)..).unwrap_or(&[]);
    decode_ops(spec, records, case);
    decode_genes(spec, records, case);
    case.normalize();
}

/// The records, the last one completed with zeros, each with its position.
fn records(bytes: &[u8]) -> impl Iterator<Item = (u32, [u8; RECORD])> {
    bytes.chunks(RECORD).zip(0..).map(|(chunk, at)| {
        let mut record = [0; RECORD];
        record[..chunk.len()].copy_from_slice(chunk);
        (at, record)
    })
}

/// What a record is.
#[derive(PartialEq)]
enum Shape {
    Op,
    More,
    Void,
}

fn shape(record: &[u8; RECORD]) -> Shape {
    match (record[1] == NO_OP, record[15] == MORE) {
        (false, false) => Shape::Op,
        (true, true) => Shape::More,
        _ => Shape::Void,
    }
}

fn decode_ops(spec: &Spec, bytes: &[u8], case: &mut Case) {
    // Where the operations stand among the records, in ascending order.
    let mut positions = [0u32; MAX_OPS];
    let mut rights = [0i32; MAX_OPS];
    for (at, record) in records(bytes) {
        if shape(&record) != Shape::Op || case.ops.len() == MAX_OPS {
            continue;
        }
        positions[case.ops.len()] = at;
        rights[case.ops.len()] = right_offset(record[4], record[14]);
        let op = record[1] % spec.ops.len() as u8;
        let mut operands = [0; MAX_OPERANDS];
        for (operand, row) in spec.ops[usize::from(op)].operands.iter().enumerate() {
            operands[operand] = u32::from(record[2 + operand]) % row.limit;
        }
        let place = match record[0] {
            SETUP.. => Place::Setup,
            cpu => Place::Cpu(cpu % case.cpus),
        };
        case.ops.push(OpInstance { place, op, operands, right: None });
    }
    let positions = &positions[..case.ops.len()];
    for (own, op) in case.ops.iter_mut().enumerate() {
        if rights[own] == 0 || spec.ops[usize::from(op.op)].takes.is_empty() {
            continue;
        }
        let target = positions[own].checked_add_signed(-rights[own]);
        let found = target.and_then(|target| positions.binary_search(&target).ok());
        op.right = found.map(|at| OpId(at as u8));
    }
}

fn decode_genes(spec: &Spec, bytes: &[u8], case: &mut Case) {
    let mut ops = 0;
    // Whose genes these are: nobody's after a void record, which may have been an operation.
    let mut owner = None;
    for (_, record) in records(bytes) {
        let (first, size) = match shape(&record) {
            Shape::Op if ops == MAX_OPS => break,
            Shape::Op => {
                owner = Some(OpId(ops as u8));
                ops += 1;
                GENES
            }
            Shape::More => WIDE_GENES,
            Shape::Void => {
                owner = None;
                continue;
            }
        };
        let Some(op) = owner else { continue };
        let on = case.ops[op.index()].place;
        for gene in record[first..14].chunks_exact(size) {
            let site = if size == GENES.1 { narrow(spec, gene) } else { wide(spec, gene) };
            let action = action(gene[size - 1], on, case.cpus);
            if let (Some(site), Some(action)) = (site, action) {
                case.decisions.push(Decision { at: Key { op, site }, action });
            }
        }
    }
}

fn field_value(field: &FieldSpec, byte: u8) -> u32 {
    let scale = byte.checked_sub(SCALE).map(|at| field.drawn + usize::from(at));
    match scale.and_then(|at| field.values.get(at)) {
        Some(&value) => value,
        None => field.values[usize::from(byte) % field.drawn],
    }
}

fn field_byte(field: &FieldSpec, value: u32) -> u8 {
    match field.values.iter().position(|&v| v == value).unwrap_or(0) {
        at if at < field.drawn => at as u8,
        at => SCALE + (at - field.drawn) as u8,
    }
}

/// How many records back the right is; negative: forward. Near ones are folded to at most 8, so that
/// random bytes name something; far ones, between 96 and 160, have a second byte.
fn right_offset(near: u8, far: u8) -> i32 {
    let (near, far) = (i32::from(near), i32::from(far));
    match near {
        0 => 0,
        1..96 => 1 + (near - 1) % 8,
        96..128 => 1 + (near - 96) + 32 * far,
        128..160 => -(1 + (159 - near) + 32 * far),
        _ => -(1 + (255 - near) % 8),
    }
}

fn right_bytes(offset: i32) -> (u8, u8) {
    let distance = offset.unsigned_abs();
    let (near, far) = match (offset > 0, distance) {
        (_, 0) => (0, 0),
        (true, ..=8) => (distance, 0),
        (false, ..=8) => (256 - distance, 0),
        (true, _) => (96 + (distance - 1) % 32, (distance - 1) / 32),
        (false, _) => (159 - (distance - 1) % 32, (distance - 1) / 32),
    };
    // MAX_DECISIONS bounds the records between two operations.
    debug_assert!(far < 256);
    (near as u8, far as u8)
}

/// How many narrow sites there are, at least one so that it divides.
fn narrow_sites(spec: &Spec) -> usize {
    (spec.classes.len() * POINT_KINDS.len()).clamp(1, 256)
}

fn narrow(spec: &Spec, gene: &[u8]) -> Option<Site> {
    match gene[0] {
        0 => None,
        point @ 1..128 => Some(Site::Nth(1 + u16::from(point - 1) % NEAR_POINTS)),
        named => {
            let site = usize::from(gene[1]) % narrow_sites(spec);
            let kind = POINT_KINDS[site % POINT_KINDS.len()];
            let class = (site / POINT_KINDS.len()) as u8;
            Some(Site::Named { class, kind, nth: 1 + (named - 128) % NEAR_NTH })
        }
    }
}

fn narrow_bytes(spec: &Spec, site: Site) -> Option<[u8; 2]> {
    match site {
        Site::Nth(nth) if nth <= NEAR_POINTS => Some([nth as u8, 0]),
        Site::Named { class, kind, nth } if nth <= NEAR_NTH => {
            let site = usize::from(class) * POINT_KINDS.len() + usize::from(kind_index(kind));
            (site < narrow_sites(spec)).then(|| [127 + nth, site as u8])
        }
        Site::Nth(_) | Site::Named { .. } => None,
    }
}

fn wide(spec: &Spec, gene: &[u8]) -> Option<Site> {
    let site = match gene[0] {
        0 => None,
        1..128 => Some(Site::Nth(u16::from_le_bytes([gene[3], gene[4]]))),
        _ => Some(Site::Named {
            class: gene[1].checked_rem(spec.classes.len() as u8).unwrap_or(0),
            kind: POINT_KINDS[usize::from(gene[2]) % POINT_KINDS.len()],
            nth: gene[3],
        }),
    };
    site.filter(|site| site.is_point())
}

fn wide_bytes(site: Site) -> [u8; 5] {
    match site {
        Site::Nth(nth) => {
            let [low, high] = nth.to_le_bytes();
            [1, 0, 0, low, high]
        }
        Site::Named { class, kind, nth } => [128, class, kind_index(kind), nth, 0],
    }
}

fn kind_index(kind: Kind) -> u8 {
    let at = POINT_KINDS.iter().position(|&k| k == kind);
    at.expect("normalized cases decide at points only") as u8
}

/// None where there is no other CPU to run: then the gene means stay.
fn action(byte: u8, on: Place, cpus: u8) -> Option<Action> {
    match (byte, on) {
        (FAIL.., _) => Some(Action::Fail),
        (_, Place::Setup) => None,
        (_, Place::Cpu(cpu)) => {
            let away = 1 + byte.checked_rem(cpus - 1)?;
            Some(Action::Run((cpu + away) % cpus))
        }
    }
}

fn action_byte(action: Action, on: Place, cpus: u8) -> u8 {
    match (action, on) {
        (Action::Fail, _) => FAIL,
        (Action::Run(to), Place::Cpu(on)) => (to + cpus - on) % cpus - 1,
        (Action::Run(_), Place::Setup) => unreachable!("nothing runs beside the set-up"),
    }
}

/// The bytes of a case; they decode to an equal one, but for history and `expect`. Operations that
/// are injected have no bytes and are left out; what takes what they give takes nothing.
///
/// The case has to be one that [`Case::fit`] leaves as it is.
#[must_use]
pub fn encode(spec: &Spec, case: &Case) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_into(spec, case, &mut bytes);
    bytes
}

/// [`encode`] into a buffer that is reused.
pub fn encode_into(spec: &Spec, case: &Case, bytes: &mut Vec<u8>) {
    if case.ops.iter().any(|op| spec.is_injected(op.op)) {
        let mut without = case.clone();
        without.retain_ops(|_, op| !spec.is_injected(op.op));
        return encode_into(spec, &without, bytes);
    }
    bytes.clear();
    let cpus = CPUS.iter().position(|&n| n == case.cpus);
    let (policy, seed, second) = case.policy.numbers();
    let [low, high] = seed.to_le_bytes();
    bytes.push(cpus.expect("a case has 1 to 4 CPUs") as u8);
    bytes.extend_from_slice(&[case.first, policy as u8, low, high, second]);
    bytes.extend(spec.fields.iter().zip(&case.fields).map(|(f, &value)| field_byte(f, value)));
    let mut positions = [0i32; MAX_OPS];
    for (at, position) in positions[..case.ops.len()].iter_mut().enumerate() {
        *position = ((bytes.len() - header_len(spec)) / RECORD) as i32;
        encode_op(spec, case, OpId(at as u8), bytes);
    }
    // Only now is it known how far apart operations stand.
    for (own, op) in case.ops.iter().enumerate() {
        if let Some(right) = op.right {
            let (near, far) = right_bytes(positions[own] - positions[right.index()]);
            let record = header_len(spec) + positions[own] as usize * RECORD;
            bytes[record + 4] = near;
            bytes[record + 14] = far;
        }
    }
}

/// One operation and its decisions, but for its right.
fn encode_op(spec: &Spec, case: &Case, id: OpId, bytes: &mut Vec<u8>) {
    let op = &case.ops[id.index()];
    let mut record = [0; RECORD];
    record[0] = match op.place {
        Place::Setup => SETUP,
        Place::Cpu(cpu) => cpu,
    };
    record[1] = op.op;
    for (at, &value) in op.operands.iter().enumerate() {
        record[2 + at] = value as u8;
    }
    let start = case.decisions.partition_point(|d| d.at.op < id);
    let own = case.decisions[start..].iter().take_while(|d| d.at.op == id);
    let first = bytes.len();
    bytes.extend_from_slice(&record);
    let (mut narrow_used, mut wide_used) = (0, 0);
    for decision in own {
        let action = action_byte(decision.action, op.place, case.cpus);
        if let Some([access, site]) =
            narrow_bytes(spec, decision.at.site).filter(|_| narrow_used < 3)
        {
            let gene = first + GENES.0 + narrow_used * GENES.1;
            bytes[gene..gene + 3].copy_from_slice(&[access, site, action]);
            narrow_used += 1;
            continue;
        }
        if wide_used % 2 == 0 {
            let mut more = [0; RECORD];
            (more[1], more[15]) = (NO_OP, MORE);
            bytes.extend_from_slice(&more);
        }
        let gene = bytes.len() - RECORD + WIDE_GENES.0 + wide_used % 2 * WIDE_GENES.1;
        bytes[gene..gene + 5].copy_from_slice(&wide_bytes(decision.at.site));
        bytes[gene + 5] = action;
        wide_used += 1;
    }
}

#[cfg(test)]
mod tests;
