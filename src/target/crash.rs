//! Turns a finding into the crash that fuzzing engines and their triage tools understand.
//!
//! The report goes first, then two lines that carry the signature:
//!
//! * `DEDUP_TOKEN: <signature>`: libFuzzer's `-minimize_crash` takes the first such line of an output
//!   and then refuses inputs that show another bug;
//! * a panic line in the format from before Rust 1.73, the only one that ClusterFuzz reads.
//!
//! Then the process aborts in a function of the finding's class, so that tools that sort by stack
//! keep classes apart. Those functions are never inlined, and their bodies differ, so that the
//! compiler does not merge them.
//!
//! What it is not: called for anything but findings. Errors of this program panic as usual.

use crate::oracle::Class;
use std::io::Write;

/// The most characters of a signature: ClusterFuzz cuts lines there.
pub const SIGNATURE_MAX: usize = 80;

/// Whether tools can sort by this signature: it fits, has nothing that ends the panic line early, no
/// number of two digits or more (ClusterFuzz replaces such) and nothing that looks like an address.
#[must_use]
pub fn is_bucket(signature: &str) -> bool {
    let mut digits = 0;
    let long_number = signature.bytes().any(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits >= 2
    });
    !signature.is_empty()
        && signature.len() <= SIGNATURE_MAX
        && !long_number
        && !signature.contains("0x")
        && signature.bytes().all(|b| b.is_ascii_graphic() && !b"'\"`@".contains(&b))
}

/// Prints `report` and the two lines, and aborts.
pub fn crash(class: Class, signature: &str, report: &str) -> ! {
    function(class)(signature, report)
}

type Crash = fn(&str, &str) -> !;

/// One function per class.
macro_rules! crashes {
    ($($class:ident => $name:ident,)*) => {
        fn function(class: Class) -> Crash {
            match class {
                $(Class::$class => $name,)*
            }
        }
        $(
            #[inline(never)]
            fn $name(signature: &str, report: &str) -> ! {
                print(stringify!($name), signature, report);
                std::process::abort()
            }
        )*
    };
}

crashes! {
    Leak => oracle_leak,
    DoubleFree => oracle_double_free,
    Overlap => oracle_overlap,
    NotCoalesced => oracle_not_coalesced,
    NotDrained => oracle_not_drained,
    Refcount => oracle_refcount,
    Lookup => oracle_lookup,
    BadPage => oracle_bad_page,
    Unlocked => oracle_unlocked,
    SleepingInAtomic => oracle_sleeping_in_atomic,
    LockOrder => oracle_lock_order,
    Rcu => oracle_rcu,
    Deadlock => oracle_deadlock,
    Livelock => oracle_livelock,
    Panic => oracle_panic,
    Accounting => oracle_accounting,
    Nondeterminism => oracle_nondeterminism,
}

fn print(function: &str, signature: &str, report: &str) {
    let text = text(function, signature, report);
    // One write, past any buffer: the process is about to end. Nobody is left to tell of a failure.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn text(function: &str, signature: &str, report: &str) -> String {
    let (file, line, column) = (file!(), line!(), column!());
    let end = if report.is_empty() || report.ends_with('\n') { "" } else { "\n" };
    format!(
        "{report}{end}DEDUP_TOKEN: {signature}\n\
         thread '{function}' panicked at '{signature}', {file}:{line}:{column}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::process::Command;

    #[test]
    fn tools_can_sort_by_names_but_not_by_numbers_or_quotes() {
        for good in ["leak/lookup", "nc-free-leak/scan", "overlap/alloc.order2/slot.load#2"] {
            assert!(is_bucket(good), "{good}");
        }
        let long = "x".repeat(SIGNATURE_MAX + 1);
        for bad in ["", "leak/frame12", "it's", "a b", "leak/0xf", "mail@host", "ü", &long] {
            assert!(!is_bucket(bad), "{bad}");
        }
        for class in Class::ALL {
            assert!(is_bucket(class.name()), "{class}");
        }
    }

    #[test]
    fn every_class_has_its_own_function() {
        let functions: BTreeSet<_> = Class::ALL.iter().map(|&c| function(c) as usize).collect();
        assert_eq!(functions.len(), Class::ALL.len());
    }

    #[test]
    fn the_report_comes_first_then_the_token_then_the_panic_line() {
        let text = text("oracle_leak", "leak/lookup", "two columns");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..2], ["two columns", "DEDUP_TOKEN: leak/lookup"]);
        assert!(
            lines[2].starts_with("thread 'oracle_leak' panicked at 'leak/lookup', src/target/")
        );
        assert_eq!(lines.len(), 3);
    }

    /// Where the test below finds that it is the process that has to crash.
    const CHILD: &str = "PAGERACE_TEST_CRASH";

    #[test]
    fn a_crash_aborts_with_both_lines_last() {
        if std::env::var_os(CHILD).is_some() {
            crash(Class::Deadlock, "deadlock/lock", "the report");
        }
        let name = "target::crash::tests::a_crash_aborts_with_both_lines_last";
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let stderr = String::from_utf8(child.stderr).unwrap();
        assert_eq!(child.status.code(), None, "ended by a signal");
        assert!(stderr.contains("the report\nDEDUP_TOKEN: deadlock/lock\nthread '"), "{stderr}");
    }
}
