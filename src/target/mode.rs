//! What libFuzzer was asked to do, as far as it matters to a target.
//!
//! What it is not: a parser of libFuzzer's options.

use std::ffi::OsStr;
use std::path::Path;

/// How the engine will use this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// It searches: a finding is news, and is reduced and stored before the process ends.
    Search,
    /// It runs given files, minimizes one, or merges corpora: it wants the same answer again, fast.
    Given,
}

/// Options with which libFuzzer runs given inputs. A number that is not zero follows.
const GIVEN: [&str; 6] = [
    "-minimize_crash",
    "-minimize_crash_internal_step",
    "-cleanse_crash",
    "-merge",
    "-merge_inner",
    "-set_cover_merge",
];

impl Mode {
    /// Reads the process's arguments.
    #[must_use]
    pub fn of_process() -> Self {
        Self::of(std::env::args_os().skip(1))
    }

    /// Reads arguments, without the program's name. libFuzzer runs inputs one by one if all that it
    /// is given are files.
    pub fn of<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let (mut inputs, mut files) = (0, 0);
        for argument in arguments {
            let argument = argument.as_ref();
            let text = argument.to_string_lossy();
            if let Some((option, value)) = text.split_once('=')
                && GIVEN.contains(&option)
                && value != "0"
            {
                return Self::Given;
            }
            if !text.starts_with('-') {
                inputs += 1;
                files += usize::from(Path::new(argument).is_file());
            }
        }
        if inputs > 0 && inputs == files { Self::Given } else { Self::Search }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_one_shot_jobs_are_given_and_folders_are_searched() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let dir = env!("CARGO_MANIFEST_DIR");
        for given in [
            &["-runs=1", file][..],
            &[file, file],
            &["-minimize_crash=1", file],
            &["-merge=1", dir, dir],
            &["-set_cover_merge=1", dir, dir],
            &["-merge_control_file=x", "-merge_inner=1", dir],
        ] {
            assert_eq!(Mode::of(given), Mode::Given, "{given:?}");
        }
        for search in [
            &[][..],
            &[dir],
            &["--", "-runs=100", dir],
            &["-merge=0", dir],
            &["-artifact_prefix=out/", dir, dir],
            &[file, dir],
            &["/nowhere/at-all"],
        ] {
            assert_eq!(Mode::of(search), Mode::Search, "{search:?}");
        }
    }
}
