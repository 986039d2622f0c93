//! The text form: round trips, errors, and texts that were damaged.

use super::*;
use crate::program::case::{Action, Site};
use crate::program::rng::Rng;
use crate::program::toy::{SPEC, any_kept_case};

const SAMPLE: &str = "\
pagerace case v1
# found by hand
# and kept
subject toy
cpus 2 first 0
field frames=4
field indices=1
field pcp_batch=0
history free_pages=v5_9
history alloc_result=frozen
expect leak/lookup race

setup:
  add mapping=0 index=0
cpu0:
  p0 = lookup mapping=0 index=0
  put_page none
cpu1:
  p1 = alloc order=2
  free_pages p1
  put_page p0
schedule:
  policy walk seed=7 rate=2
  at setup op1 zone_lock.may_fail#1: fail
  at cpu0 op1 refcount.inc_not_zero#1: run cpu1
  at cpu1 op2 point#3: run cpu0
";

#[test]
fn a_canonical_text_prints_as_it_was() {
    let document = parse(&SPEC, SAMPLE.as_bytes()).unwrap();
    assert_eq!(document.print(&SPEC), SAMPLE);
    assert_eq!(document.case.ops.len(), 6);
    assert_eq!(document.case.decisions[2].at.site, Site::Nth(3));
    assert_eq!(document.case.decisions[0].action, Action::Fail);
    assert_eq!(subject(SAMPLE.as_bytes()).unwrap(), "toy");
}

#[test]
fn cases_survive_text() {
    let mut rng = Rng::new(1);
    for _ in 0..3000 {
        let case = any_kept_case(&mut rng);
        let mut document = Document::new(case);
        document.comment("where it is from\n\nand why");
        let text = document.print(&SPEC);
        let parsed = parse(&SPEC, text.as_bytes()).map_err(|e| panic!("{e}\n{text}")).unwrap();
        assert_eq!(parsed, document, "{text}");
        assert_eq!(parsed.print(&SPEC), text);
    }
}

#[test]
fn free_form_becomes_canonical() {
    let free = "pagerace case v1\r\nsubject toy\n\n# not leading\nfield frames=8\ncpus 2 first 1\n\
                cpu1:\nfree_pages block_of_0\n# also not\ncpu0:\n   block_of_0  =  alloc order=1\n\
                schedule:\nat cpu0 op1 point#2: run cpu1\nat cpu0 op1 point#1: run cpu1\n";
    let canonical = "pagerace case v1\nsubject toy\ncpus 2 first 1\nfield frames=8\nfield indices=1\n\
                     field pcp_batch=0\nhistory free_pages=fixed\nhistory alloc_result=frozen\n\n\
                     cpu0:\n  p0 = alloc order=1\ncpu1:\n  free_pages p0\nschedule:\n  policy stay\n  \
                     at cpu0 op1 point#1: run cpu1\n  at cpu0 op1 point#2: run cpu1\n";
    assert_eq!(parse(&SPEC, free.as_bytes()).unwrap().print(&SPEC), canonical);
}

#[test]
fn an_error_shows_the_place_and_the_way_out() {
    let text = SAMPLE.replace("alloc order=2", "aloc order=2");
    let error = parse(&SPEC, text.as_bytes()).unwrap_err();
    let shown = "unknown operation `aloc`\n  --> a.case:19:8\n   |\n19 |   p1 = aloc order=2\n   |        \
                 ^^^^\n   = help: did you mean `alloc`?";
    assert_eq!(error.in_file("a.case"), shown);
}

/// Each replacement in the sample is refused there, with a message that has these words.
#[test]
fn what_is_wrong_is_refused_where_it_stands() {
    let cases = [
        ("case v1\n", "case v2\n", 1, "this version reads v1"),
        ("subject toy", "subject mm", 4, "the subject `mm`"),
        ("subject toy\n", "", 26, "subject NAME"),
        ("cpus 2", "cpus 5", 5, "from 1 to 4"),
        ("cpus 2", "cpus +2", 5, "from 1 to 4"),
        ("first 0", "first 2", 5, "from 0 to 1"),
        ("frames=4", "frame=4", 6, "did you mean `frames`"),
        ("frames=4", "frames=5", 6, "one of 4, 8, 64"),
        ("frames=4", "frames", 6, "field NAME=VALUE"),
        ("field indices=1", "field frames=4", 7, "stated twice"),
        ("free_pages=v5_9", "free_pages=v5_8", 9, "did you mean `v5_9`"),
        ("expect leak/lookup race", "expect", 11, "expect pass"),
        ("setup:", "set-up:", 13, "did you mean `setup:`"),
        ("cpu1:\n", "cpu2:\n", 18, "cpu0 to cpu1"),
        ("cpu1:\n", "cpu0:\n", 18, "stated twice"),
        ("add mapping=0 index=0", "add mapping=0", 14, "needs `index`"),
        ("add mapping=0 index=0", "add mapping=2 index=0", 14, "from 0 to 1"),
        ("add mapping=0 index=0", "add mapping=0 mapping=0", 14, "stated twice"),
        ("put_page none", "put_page", 17, "`none`"),
        ("put_page none", "put_page px", 17, "unknown result `px`"),
        ("p1 = alloc", "p0 = alloc", 19, "names two"),
        ("p1 = alloc", "none = alloc", 19, "name of a result"),
        ("p1 = alloc order=2", "p1 =", 19, "no operation"),
        ("free_pages p1", "free_pages p1 p0", 20, "no such right"),
        ("policy walk", "policy walks", 23, "did you mean `walk`"),
        ("seed=7 rate=2", "seed=7", 23, "rate=0"),
        ("may_fail#1: fail", "may_fail#1: run cpu1", 24, "runs alone"),
        ("cpu0 op1", "cpu0 op3", 25, "op1 to op2"),
        ("cpu0 op1", "cpu0 op0", 25, "op1 to op2"),
        ("refcount.inc", "refcout.inc", 25, "did you mean `refcount`"),
        ("inc_not_zero#1", "unlock#1", 25, "kind of access"),
        ("inc_not_zero#1", "inc_not_zero#0", 25, "from 1 to 255"),
        ("inc_not_zero#1", "inc_not_zero", 25, "no `#`"),
        ("inc_not_zero#1:", "inc_not_zero#1", 25, "no `:`"),
        ("#1: run cpu1", "#1: run cpu0", 25, "no decision"),
        ("#1: run cpu1", "#1: walk", 25, "no action"),
        (
            "cpu1 op2 point#3: run cpu0",
            "cpu0 op1 refcount.inc_not_zero#1: fail",
            26,
            "decided twice",
        ),
    ];
    for (from, to, line, words) in cases {
        assert!(SAMPLE.contains(from), "{from}");
        let error = parse(&SPEC, SAMPLE.replacen(from, to, 1).as_bytes()).unwrap_err();
        let shown = error.to_string();
        assert_eq!(error.line, line, "{from} -> {to}: {shown}");
        assert!(shown.contains(words), "{from} -> {to}: {shown}");
    }
}

#[test]
fn a_switch_that_is_no_more_may_say_nothing_special() {
    let stated = |setting: &str| {
        let history = format!("history {setting}\nhistory alloc_result=");
        parse(&SPEC, SAMPLE.replacen("history alloc_result=", &history, 1).as_bytes())
    };
    let document = stated("careless=off").unwrap();
    assert_eq!(document.print(&SPEC), SAMPLE, "it is not printed again");
    let error = stated("careless=get").unwrap_err();
    assert_eq!(error.line, 10);
    let shown = error.to_string();
    assert!(shown.contains("no switch `careless` any more") && shown.contains("the op"), "{shown}");
    assert!(stated("careless=off\nhistory careless=off").is_err(), "stated twice");
    let shown = stated("careles=off").unwrap_err().to_string();
    assert!(shown.contains("careles"), "{shown}");
}

#[test]
fn limits_are_errors() {
    let refuse = |bytes: &[u8], words: &str| {
        let shown = parse(&SPEC, bytes).unwrap_err().to_string();
        assert!(shown.contains(words), "{shown}");
    };
    refuse(b"", "the file is empty");
    refuse(b"\x00\x01\x02", "`--bytes`");
    refuse(b"pagerace case v1", "for which subject");
    refuse(b"pagerace case v1\n# \xff\n", "not UTF-8");
    refuse(&[HEADER.as_bytes(), &vec![b'\n'; MAX_BYTES]].concat(), "the limit is");
    refuse(&[HEADER.as_bytes(), b"\n#", &vec![b'x'; MAX_LINE]].concat(), "more than 4096");
    let many = format!("{HEADER}\nsubject toy\ncpu0:\n{}", "alloc order=0\n".repeat(65));
    refuse(many.as_bytes(), "at most 64 operations");
    let at = "at cpu0 op1 point#1: run cpu1\n";
    let many =
        format!("{HEADER}\nsubject toy\ncpu0:\nalloc order=0\nschedule:\n{}", at.repeat(4097));
    refuse(many.as_bytes(), "at most 4096 decisions");
}

#[test]
fn damaged_texts_are_errors_or_canonical() {
    let mut rng = Rng::new(2);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        for _ in 0..=rng.below(3) {
            let (at, from) = (rng.below(bytes.len()), rng.below(bytes.len()));
            match rng.below(5) {
                0 => bytes[at] = rng.bits() as u8,
                1 => bytes[at] = b" =:#\np0129"[rng.below(10)],
                2 => drop(bytes.drain(at.min(from)..at.max(from).min(at.min(from) + 12))),
                3 => bytes.truncate(at.max(17)),
                _ => {
                    let piece = bytes[from..(from + rng.below(30)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        match parse(&SPEC, &bytes) {
            Err(error) => {
                let raw = |c: char| c.is_control() && c != '\n';
                assert!(!error.to_string().contains(raw));
                bad += 1;
            }
            Ok(document) => {
                let text = document.print(&SPEC);
                let again = parse(&SPEC, text.as_bytes()).map_err(|e| panic!("{e}\n{text}"));
                assert_eq!(again.unwrap(), document);
                good += 1;
            }
        }
    }
    assert!(good > 500 && bad > 5000, "{good} {bad}");
}
