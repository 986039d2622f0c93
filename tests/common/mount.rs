//! Mounts of a test's own, where the system allows them to this user.
//!
//! Where it does not, a test that needs one says so and passes, unless [`NEEDED`] is set.
//!
//! What it is not: a test.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// The environment variable that makes it a failure that no mount is possible.
const NEEDED: &str = "PAGERACE_NEED_MOUNT";

/// The command that runs another where mounts are its own.
pub const OWN: [&str; 4] = ["unshare", "--user", "--map-root-user", "--mount"];

/// What mounts a small file system at `at`, in a shell.
pub fn tmpfs(options: &str, at: &Path) -> String {
    format!("mount -t tmpfs -o {options} tmpfs '{}'", at.display())
}

/// Whether a test can have a mount.
pub fn is_possible(at: &Path) -> bool {
    let mut command = Command::new(OWN[0]);
    command.args(&OWN[1..]).args(["sh", "-c", &tmpfs("size=64k", at)]);
    let possible = command.output().is_ok_and(|output| output.status.success());
    if !possible {
        let why = "this system allows no mounts to this user";
        assert!(std::env::var_os(NEEDED).is_none(), "{why}, and {NEEDED} is set");
        // Not with a macro: what those print of a test that passes is not shown.
        let skipped = format!("skipped: {why} (`{NEEDED}=1` makes that a failure)\n");
        drop(std::io::stderr().write_all(skipped.as_bytes()));
    }
    possible
}
