//! What a store reads, refuses, finds and adds.
//!
//! `tests/store_stress.rs` has what happens when it cannot write, is shared, or is killed.

#![allow(clippy::unwrap_used, reason = "where a step of a test fails, the test does")]

mod common;

use common::{BY, Counters, SPEC, entry, entry_called, entry_of, lost, lost_update, tools};
use pagerace::corpus::replay::MAX_SWITCHES;
use pagerace::corpus::{Checked, Entry, Found, Kept, Store, check};
use pagerace::oracle::{Class, Kind, Signature};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[track_caller]
fn refuses(path: &Path, words: &str) {
    let said = Entry::read(&SPEC, path).unwrap_err().to_string();
    assert!(said.contains(words), "{said}");
    assert!(said.contains(path.to_str().unwrap()), "{said}");
    assert!(said.contains("next: ") || said.contains("help: "), "{said}");
}

#[test]
fn what_is_no_entry_is_refused_with_its_place_and_the_next_step() {
    let dir = dir();
    let path = dir.path().join("a.case");
    refuses(&path, "cannot open it");
    let text = entry().print(&SPEC);
    for (content, words) in [
        ("", "the file is empty"),
        ("\x7fELF\x02\x01", "raw bytes"),
        (&text.replace("subject counters", "subject other"), "other"),
        (&text.replace("bump counter", "b\u{0}mp counter"), "unknown operation"),
        (&text.replace("# Found", "# \u{1b}[2J Found"), "has control characters"),
        (&text.replace("update race", "update\u{7} race"), "has control characters"),
        (&text.replace("expect overlap/lost-update race\n", ""), "does not say what it expects"),
    ] {
        fs::write(&path, content).unwrap();
        refuses(&path, words);
    }
    fs::write(&path, b"pagerace case v1\n\xff\xfe").unwrap();
    refuses(&path, "not UTF-8");
}

/// Cut off anywhere, a text is an error or another case; reading it never fails otherwise.
#[test]
fn truncated_entries_are_read_or_refused() {
    let dir = dir();
    let path = dir.path().join("a.case");
    let text = entry().print(&SPEC);
    let mut refused = 0;
    for len in 0..text.len() {
        fs::write(&path, &text[..len]).unwrap();
        refused += usize::from(Entry::read(&SPEC, &path).is_err());
    }
    assert!(refused > text.len() / 2, "{refused} of {}", text.len());
}

#[test]
fn what_is_no_plain_small_file_is_refused_at_once() {
    let dir = dir();
    let large = dir.path().join("large.case");
    fs::File::create(&large).unwrap().set_len(1 << 30).unwrap();
    refuses(&large, "1073741824 bytes or more");
    refuses(dir.path(), "this is a directory");
    refuses(Path::new("/dev/zero"), "not a plain file");
    let fifo = dir.path().join("fifo.case");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    refuses(&fifo, "not a plain file");
    // The same in a store, where a check goes on to the next file.
    fs::create_dir(dir.path().join("folder.case")).unwrap();
    fs::write(dir.path().join("good.case"), entry().print(&SPEC)).unwrap();
    let (mut executor, mut examiner) = tools();
    let store = Store::open(dir.path()).unwrap();
    let checked = check::<Counters>(&store, &mut executor, &mut examiner).unwrap();
    let refused: Vec<_> = checked.iter().map(|c| c.refused.is_some()).collect();
    assert_eq!(refused, [true, true, false, true], "{checked:?}");
    assert!(checked.iter().all(|c| c.problems.is_empty()), "{checked:?}");
}

#[test]
fn what_cannot_be_checked_is_told_from_what_breaks_its_promise() {
    let dir = dir();
    let store = Store::at(dir.path()).unwrap();
    let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let text = entry().print(&SPEC);
    let mut switches = String::from("  at cpu0 op1 counter.store#1: run cpu1\n");
    for nth in 2..=MAX_SWITCHES + 1 {
        switches += &format!("  at cpu0 op1 counter.store#{nth}: run cpu1\n");
    }
    put("a.case", &text.replace("  at cpu0 op1 counter.store#1: run cpu1\n", &switches));
    put("b.case", &text.replace("lost-update", "lost-page"));
    put("c.case", "");
    let (mut executor, mut examiner) = tools();
    let checked = check::<Counters>(&store, &mut executor, &mut examiner).unwrap();
    let [large, wrong, empty] = &checked[..] else { panic!("{checked:?}") };
    let said = large.refused.as_ref().unwrap().to_string();
    assert!(
        said.contains("a.case") && said.contains("33 switches; an entry has at most 32"),
        "{said}"
    );
    assert!(said.contains("next: reduce it: `pagerace minimize"), "{said}");
    assert!(wrong.refused.is_none() && wrong.problems.len() == 1, "{wrong:?}");
    assert!(empty.refused.is_some() && empty.problems.is_empty(), "{empty:?}");
}

#[test]
fn links_in_a_store_are_not_followed() {
    let (dir, outside) = (dir(), dir());
    let secret = outside.path().join("secret.case");
    fs::write(&secret, entry().print(&SPEC)).unwrap();
    let link = dir.path().join("link.case");
    symlink(&secret, &link).unwrap();
    symlink(outside.path(), dir.path().join("sub")).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let said = store.read(&SPEC, &link).unwrap_err().to_string();
    assert!(said.contains("symbolic links"), "{said}");
    assert_eq!(Store::under(dir.path()).unwrap(), std::slice::from_ref(&store));
    // Nor written through: the name is taken, whatever it leads to.
    let kept = store.promote(&SPEC, &entry(), Some("link")).unwrap();
    assert_eq!(kept, Kept::New(dir.path().join("link-2.case")));
    assert!(store.format(&SPEC, &link).is_err());
    // A user may name a link.
    assert!(Entry::read(&SPEC, &link).is_ok());
}

#[test]
fn names_do_not_leave_the_store() {
    let dir = dir();
    let store = Store::at(dir.path().join("store")).unwrap();
    for name in ["", "..", "../x", "/tmp/x", "a/b", ".hidden", "-o", "a\nb", "ä", "a b"] {
        let said = store.promote(&SPEC, &entry(), Some(name)).unwrap_err().to_string();
        assert!(said.contains("no entry can be called so"), "{said}");
        let target = Store::find_from(dir.path(), None, name);
        assert!(target.unwrap_err().to_string().contains("no target is called so"), "{name}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let odd = Signature::new(Class::Panic, &["../../etc/passwd", "a\u{1b}[2J"]);
    let odd = Entry::found(&lost_update(), &odd, Kind::Sequential, &BY, true);
    let kept = store.promote(&SPEC, &odd, None).unwrap();
    let name = "panic-..-..-etc-passwd-a--2J-sequential.case";
    assert_eq!(kept, Kept::New(store.directory().join(name)));
}

#[test]
fn the_store_of_a_target_is_in_the_checkout_around() {
    let dir = dir();
    let find = |variable: Option<&str>, from: &str| {
        Store::find_from(&dir.path().join(from), variable.map(OsStr::new), "page_cache")
    };
    fs::create_dir_all(dir.path().join("fuzz/corpus/page_cache")).unwrap();
    fs::create_dir(dir.path().join("corpus")).unwrap();
    fs::write(dir.path().join("Cargo.toml"), "").unwrap();
    fs::write(dir.path().join("fuzz/Cargo.toml"), "").unwrap();
    let none = find(None, "fuzz").unwrap();
    assert!(matches!(none, Found::NoCheckout(_)));
    assert!(none.to_string().contains("findings are shown and not kept"), "{none}");
    fs::write(dir.path().join("corpus/replay.rs"), "").unwrap();
    let Found::Store(store) = find(None, "fuzz/corpus").unwrap() else { panic!() };
    assert_eq!(store.directory(), dir.path().join("corpus/page_cache"));
    assert!(!store.directory().exists(), "looking for findings leaves no directory");
    assert_eq!(store.files().unwrap(), [] as [&Path; 0]);
    assert!(matches!(store.promote(&SPEC, &entry(), None), Ok(Kept::New(_))));
    // The variable goes first.
    assert_eq!(find(Some("off"), "fuzz").unwrap(), Found::Off);
    let other = dir.path().join("other");
    let Found::Store(store) = find(other.to_str(), "fuzz").unwrap() else { panic!() };
    assert_eq!(store.directory(), other);
    assert!(find(Some(""), "fuzz").unwrap_err().to_string().contains("the variable is empty"));
    // A link there may lead anywhere.
    fs::remove_dir_all(dir.path().join("corpus/page_cache")).unwrap();
    symlink("/", dir.path().join("corpus/page_cache")).unwrap();
    assert!(find(None, "fuzz").unwrap_err().to_string().contains("symbolic link"));
}

#[test]
fn a_finding_is_kept_once_and_improved_in_place() {
    let dir = dir();
    let store = Store::at(dir.path().join("not/there/yet")).unwrap();
    let large = Entry::found(&entry_called("x", 9).case().clone(), &lost(), Kind::Race, &BY, false);
    let Kept::New(path) = store.promote(&SPEC, &large, None).unwrap() else { panic!() };
    assert_eq!(path, store.directory().join("overlap-lost-update.case"));
    assert!(large.print(&SPEC).contains("Not reduced yet"));
    // What is known stays; the reduced case takes its place, and a larger one does not.
    assert_eq!(store.promote(&SPEC, &entry(), None).unwrap(), Kept::Known(path.clone()));
    assert_eq!(store.read(&SPEC, &path).unwrap(), large);
    let alike = entry_of(&entry().print(&SPEC).replace("# Found", "# Again found"));
    for improved in [entry(), large, alike] {
        assert_eq!(store.improve(&SPEC, &improved, &path).unwrap(), Kept::Known(path.clone()));
        assert_eq!(store.read(&SPEC, &path).unwrap(), entry());
    }
    // Somebody took it away meanwhile: it comes back under its name.
    let named = store.directory().join("nc-free-leak.case");
    fs::rename(&path, &named).unwrap();
    assert_eq!(store.promote(&SPEC, &entry(), None).unwrap(), Kept::Known(named.clone()));
    fs::remove_file(&named).unwrap();
    assert_eq!(store.improve(&SPEC, &entry(), &named).unwrap(), Kept::New(named.clone()));
    // The other kind is another finding.
    let other = Entry::found(&lost_update(), &lost(), Kind::Sequential, &BY, true);
    assert!(matches!(store.promote(&SPEC, &other, None), Ok(Kept::New(_))));
    // Another finding under a name that is taken gets a number, also where the file is damaged.
    let kept = store.promote(&SPEC, &entry_called("b", 2), Some("nc-free-leak")).unwrap();
    assert_eq!(kept, Kept::New(store.directory().join("nc-free-leak-2.case")));
    fs::write(&named, "damaged").unwrap();
    let kept = store.promote(&SPEC, &entry(), Some("nc-free-leak")).unwrap();
    assert_eq!(kept, Kept::New(store.directory().join("nc-free-leak-3.case")));
    assert_eq!(fs::read(&named).unwrap(), b"damaged");
}

#[test]
fn temporaries_of_the_dead_are_swept_and_those_in_use_are_not() {
    let dir = dir();
    let dead = dir.path().join(".pagerace-1-0.tmp");
    let alive = dir.path().join(".pagerace-1-1.tmp");
    fs::write(&dead, "pagerace ca").unwrap();
    let writer = fs::File::create(&alive).unwrap();
    writer.lock().unwrap();
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    let store = Store::at(dir.path()).unwrap();
    assert_eq!(store.files().unwrap(), [] as [&Path; 0]);
    assert!(!dead.exists() && alive.exists() && dir.path().join("notes.txt").exists());
    drop(writer);
    Store::at(dir.path()).unwrap();
    assert!(!alive.exists());
}

#[test]
fn a_check_names_what_is_wrong_and_format_mends_the_form() {
    let dir = dir();
    let store = Store::at(dir.path()).unwrap();
    let text = entry().print(&SPEC);
    let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    put("a.case", &text.replace("subject counters", "  subject  counters\n"));
    put("b.case", &text);
    put("c.case", &entry_called("other", 2).print(&SPEC));
    put("d e.case", &text);
    let problems = || {
        let (mut executor, mut examiner) = tools();
        let checked = check::<Counters>(&store, &mut executor, &mut examiner).unwrap();
        let said = |c: Checked| c.refused.map_or(c.problems.join("\n"), |error| error.to_string());
        checked.into_iter().map(said).collect::<Vec<_>>()
    };
    let said = problems();
    assert!(said[0].contains("not in canonical form"), "{said:?}");
    assert!(said[1].contains("a.case does: keep the better one"), "{said:?}");
    assert!(said[2].contains("but it shows `overlap/lost-update race`"), "{said:?}");
    assert!(said[3].contains("can be called so"), "{said:?}");
    let files = store.files().unwrap();
    let changed: Vec<_> = files[..3].iter().map(|f| store.format(&SPEC, f).unwrap()).collect();
    assert_eq!(changed, [true, false, false]);
    assert_eq!(fs::read_to_string(&files[0]).unwrap(), text);
    for file in ["b.case", "c.case", "d e.case"] {
        fs::remove_file(dir.path().join(file)).unwrap();
    }
    assert_eq!(problems(), [""]);
}
