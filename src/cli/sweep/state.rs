//! How far a sweep is, in a file that outlives the process.
//!
//! The file is replaced as a whole, so that a killed process leaves the state of a moment before, and
//! what was swept since is swept again with the same result. A lock in a file beside it keeps a second
//! process out. What is no state, that of another sweep, or what another program measured (of the same
//! version, too: it may have been edited), is left alone and said.
//!
//! What it is not: a store of findings. It holds their cases as text, so that nothing is lost with it.

use super::super::output::{Error, io_error, refused};
use crate::corpus::write;
use serde_json::{Map, Value, json};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::Hasher as _;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf, absolute};
use std::time::{Duration, Instant};

/// What the file says it is.
const KIND: &str = "state of a sweep";
/// The version of its form.
const SCHEMA: u64 = 1;
/// How often the file is replaced.
const EVERY: Duration = Duration::from_secs(1);
/// The most bytes of a state: far more than findings have.
const MAX_BYTES: u64 = 64 << 20;
/// More than is ever counted: with this much, sums still have room.
const MOST: u64 = 1 << 53;

/// A finding of a sweep.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    pub signature: String,
    pub class: String,
    pub kind: String,
    /// Which case showed it first, counted from one.
    pub first_case: u64,
    /// In how many runs.
    pub count: u64,
    /// The text of its case.
    pub case: String,
    pub entry: Option<String>,
    /// The signature, text and entry of the case without an injected reference.
    pub concrete: Option<(String, String, Option<String>)>,
}

/// Everything that a sweep goes on from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// Counters, in the order of [`COUNTERS`].
    counters: [u64; COUNTERS.len()],
    pub found: Vec<Found>,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counter {
    /// Cases that were swept.
    Cases,
    /// Cases that were drawn.
    Drawn,
    /// Those that showed something by themselves.
    Shows,
    /// Those that were too large.
    TooLarge,
    /// Runs.
    Runs,
    /// Places for a reference.
    Places,
    /// Those that were tried.
    Tried,
    /// Cases for which the runs did not suffice.
    Cut,
}

/// Their names in JSON.
pub const COUNTERS: [&str; 8] =
    ["cases", "drawn", "show_by_themselves", "too_large", "runs", "places", "tried", "cut"];

impl State {
    pub fn get(&self, counter: Counter) -> u64 {
        self.counters[counter as usize]
    }

    pub fn set(&mut self, counter: Counter, value: u64) {
        self.counters[counter as usize] = value;
    }

    pub fn add(&mut self, counter: Counter, value: u64) {
        self.counters[counter as usize] += value;
    }

    /// The counters, as JSON has them.
    pub fn counters(&self) -> impl Iterator<Item = (String, Value)> {
        COUNTERS.into_iter().zip(self.counters).map(|(name, n)| (name.to_owned(), json!(n)))
    }

    fn json(&self, program: &str, asked: &Value) -> Value {
        let found = self.found.iter().map(|found| {
            let concrete = found.concrete.as_ref().map(
                |(signature, case, entry)| json!({ "signature": signature, "case": case, "entry": entry }),
            );
            json!({
                "signature": found.signature,
                "class": found.class,
                "kind": found.kind,
                "first_case": found.first_case,
                "count": found.count,
                "case": found.case,
                "entry": found.entry,
                "concrete": concrete,
            })
        });
        json!({
            "pagerace": KIND,
            "schema": SCHEMA,
            "program": program,
            "asked": asked,
            "done": Value::Object(self.counters().collect()),
            "found": found.collect::<Vec<_>>(),
        })
    }

    fn read(value: &Value) -> Option<Self> {
        let mut state = Self::default();
        for (name, counter) in COUNTERS.into_iter().zip(&mut state.counters) {
            *counter = value["done"][name].as_u64()?;
        }
        for found in value["found"].as_array()? {
            let text = |of: &Value, key: &str| of[key].as_str().map(str::to_owned);
            let concrete = match &found["concrete"] {
                Value::Null => None,
                of => Some((text(of, "signature")?, text(of, "case")?, text(of, "entry"))),
            };
            state.found.push(Found {
                signature: text(found, "signature")?,
                class: text(found, "class")?,
                kind: text(found, "kind")?,
                first_case: found["first_case"].as_u64()?,
                count: found["count"].as_u64()?,
                case: text(found, "case")?,
                entry: text(found, "entry"),
                concrete,
            });
        }
        Some(state)
    }

    /// What cannot have been counted so by any sweep.
    fn contradiction(&self) -> Option<&'static str> {
        let get = |counter| self.get(counter);
        let counts = self.found.iter().map(|found| found.count);
        if self.counters.iter().copied().chain(counts).any(|n| n > MOST) {
            return Some("a counter is absurd");
        }
        let swept = get(Counter::Cases) + get(Counter::Shows) + get(Counter::TooLarge);
        let later = |found: &Found| found.first_case > get(Counter::Cases);
        let checks = [
            (get(Counter::Tried) > get(Counter::Places), "more places were tried than there are"),
            (get(Counter::Tried) > get(Counter::Runs), "more places were tried than runs made"),
            (get(Counter::Cut) > get(Counter::Cases), "more cases were cut than swept"),
            (swept != get(Counter::Drawn), "other cases were drawn than came to anything"),
            (self.found.iter().any(later), "something was found in a case that was not swept"),
        ];
        checks.into_iter().find_map(|(is_wrong, what)| is_wrong.then_some(what))
    }
}

/// What tells this program from all others that may have written a state: a hash of its file.
///
/// # Errors
/// If the file cannot be read.
pub fn program() -> Result<String, Error> {
    // The file that runs, whatever has its name by now; elsewhere, its name has to do.
    let own = Path::new("/proc/self/exe");
    let path = if own.exists() { Ok(own.to_owned()) } else { std::env::current_exe() };
    let unreadable = |path: &Path, e| io_error(path, "read this program", e);
    let path = path.map_err(|e| unreadable(own, e))?;
    let mut file = File::open(&path).map_err(|e| unreadable(&path, e))?;
    // Without a key: the same in every process of one program, and another program has another one.
    let mut hasher = std::hash::DefaultHasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(|e| unreadable(&path, e))? {
            0 => return Ok(format!("{:016x}", hasher.finish())),
            n => hasher.write(&buffer[..n]),
        }
    }
}

/// The seed of the sweep whose state this is; none if there is no such file, or it has none. What else
/// is wrong with it shows when it is opened.
pub fn seed(path: &Path) -> Option<u64> {
    let meta = fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > MAX_BYTES {
        return None;
    }
    let value: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    value["asked"]["seed"].as_u64()
}

/// The file itself, if the path leads there through links: it is replaced, not the link.
fn resolved(path: &Path) -> Result<PathBuf, Error> {
    match fs::canonicalize(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        result => return result.map_err(|e| io_error(path, "find it", e)),
    }
    if fs::symlink_metadata(path).is_ok() {
        let next = "name the file itself for the state";
        return Err(refused(path, "this is a link to a file that is not there", next));
    }
    absolute(path).map_err(|e| io_error(path, "find it", e))
}

/// A state file of this process.
pub struct StateFile {
    path: PathBuf,
    program: String,
    asked: Value,
    written: Instant,
    _lock: Lock,
}

impl StateFile {
    /// Opens the state of the sweep that is `asked` for of `program`, or begins one. The file is there
    /// afterwards.
    ///
    /// # Errors
    /// If another process uses it, it is no state, or it is the state of another sweep or program. Then it
    /// is as it was.
    pub fn open(
        path: &Path,
        program: String,
        asked: &Map<String, Value>,
    ) -> Result<(Self, State), Error> {
        let path = resolved(path)?;
        let asked = Value::Object(asked.clone());
        let lock = Lock::take(&path)?;
        let state = match fs::metadata(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => State::default(),
            Err(e) => return Err(io_error(&path, "look at it", e)),
            Ok(meta) if !meta.is_file() || meta.len() > MAX_BYTES => {
                let next = "name another file for the state";
                return Err(refused(&path, format!("this is not the {KIND}"), next));
            }
            Ok(_) => {
                let text = fs::read(&path).map_err(|e| io_error(&path, "read it", e))?;
                parse(&path, &text, &program, &asked)?
            }
        };
        let mut file = Self { path, program, asked, written: Instant::now(), _lock: lock };
        file.write(&state)?;
        Ok((file, state))
    }

    /// Replaces the file if it is time to.
    ///
    /// # Errors
    /// If it cannot be written. Then it is as it was.
    pub fn write_now_and_then(&mut self, state: &State) -> Result<(), Error> {
        if self.written.elapsed() < EVERY {
            return Ok(());
        }
        self.write(state)
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// If it cannot be written. Then it is as it was.
    pub fn write(&mut self, state: &State) -> Result<(), Error> {
        write::replace(
            &self.path,
            format!("{:#}\n", state.json(&self.program, &self.asked)).as_bytes(),
        )?;
        self.written = Instant::now();
        Ok(())
    }
}

fn parse(path: &Path, text: &[u8], program: &str, asked: &Value) -> Result<State, Error> {
    let damaged = |why: String| {
        let next = "name another file for the state, or move this one away";
        refused(path, why, next)
    };
    let value: Value = serde_json::from_slice(text)
        .map_err(|e| damaged(format!("this is not the {KIND}, or it is damaged: {e}")))?;
    if value["pagerace"] != KIND || value["schema"] != SCHEMA {
        return Err(damaged(format!("this is not the {KIND} that this version knows")));
    }
    let there = value["asked"].as_object().cloned().unwrap_or_default();
    let here = asked.as_object().expect("it is made as an object");
    let other = here.iter().find(|(key, value)| there.get(*key) != Some(value));
    if let Some((key, value)) = other {
        let both = there.get(key).and_then(|there| differ(there, value)).unwrap_or_default();
        let why = format!("this is the {KIND} that was asked for with another `{key}`{both}");
        return Err(damaged(why));
    }
    if value["program"] != program {
        let why =
            format!("this is the {KIND} of another program, of the same version but not the same");
        let next = "sweep anew, with another file for the state: what that program found, or did not \
                    find, says nothing of this one";
        return Err(refused(path, why, next));
    }
    let state = State::read(&value)
        .ok_or_else(|| damaged(format!("this {KIND} is damaged: parts are missing")))?;
    match state.contradiction() {
        Some(what) => Err(damaged(format!("this {KIND} is damaged: {what}"))),
        None => Ok(state),
    }
}

/// Both of two values, if a line holds them.
fn differ(there: &Value, here: &Value) -> Option<String> {
    let both = format!(": {there} there, {here} here");
    (both.len() <= 120).then_some(both)
}

/// Keeps other processes off a state. The file is removed in the end.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    fn take(state: &Path) -> Result<Self, Error> {
        let mut name = state.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let path = state.with_file_name(name);
        loop {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(|e| io_error(&path, "make it", e))?;
            match file.try_lock() {
                Ok(()) => {}
                // No locks here: then nobody can be kept off.
                Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => {}
                Err(TryLockError::Error(e)) => return Err(io_error(&path, "lock it", e)),
                Err(TryLockError::WouldBlock) => {
                    let next = "wait for it, or name another file for the state";
                    return Err(refused(state, "another process is using this state", next));
                }
            }
            // Whoever had it before may have removed it after it was opened here.
            let meta = file.metadata().map_err(|e| io_error(&path, "look at it", e))?;
            if meta.nlink() > 0 {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(seed: u64) -> Map<String, Value> {
        json!({ "seed": seed, "all": false }).as_object().unwrap().clone()
    }

    fn open(path: &Path, seed: u64) -> Result<(StateFile, State), Error> {
        StateFile::open(path, "this one".to_owned(), &asked(seed))
    }

    fn why(path: &Path, seed: u64) -> String {
        open(path, seed).err().expect("it is refused").to_string()
    }

    fn state() -> State {
        let mut state = State::default();
        for (counter, n) in [
            (Counter::Cases, 7),
            (Counter::Drawn, 9),
            (Counter::Shows, 2),
            (Counter::Runs, 40),
            (Counter::Places, 10),
            (Counter::Tried, 8),
        ] {
            state.set(counter, n);
        }
        state.add(Counter::Cut, 1);
        let concrete = Some(("leak/block/scan".to_owned(), "case".to_owned(), None));
        let signature = "leak/block/spec".to_owned();
        state.found.push(Found { signature: signature.clone(), concrete, ..Found::default() });
        state.found.push(Found { signature, entry: Some("a.case".into()), ..Found::default() });
        state
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let (mut file, fresh) = open(&path, 1).unwrap();
        assert_eq!(fresh, State::default());
        file.write(&state()).unwrap();
        drop(file);
        assert_eq!(open(&path, 1).unwrap().1, state());
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "the lock is gone: {left:?}");
    }

    #[test]
    fn what_is_in_use_damaged_or_another_sweeps_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let (mut file, _) = open(&path, 1).unwrap();
        file.write(&state()).unwrap();
        assert!(why(&path, 1).contains("another process"));
        drop(file);
        assert!(why(&path, 2).contains("another `seed`: 1 there, 2 here"));
        let other = StateFile::open(&path, "another one".to_owned(), &asked(1)).err().unwrap();
        assert!(other.to_string().contains("of another program"), "{other}");
        let text = fs::read_to_string(&path).unwrap();
        let cut = text[..text.len() / 2].to_owned();
        let foreign = text.replace(KIND, "something else");
        let missing = text.replace("\"cut\"", "\"cat\"");
        for (damaged, word) in [
            (cut, "damaged"),
            (foreign, "not the state"),
            (missing, "parts are missing"),
            (String::new(), "damaged"),
        ] {
            fs::write(&path, &damaged).unwrap();
            let why = why(&path, 1);
            assert!(why.contains(word) && why.contains("next:"), "{why}");
            assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
        }
        assert!(why(dir.path(), 1).contains("not the state"), "a directory");
    }

    #[test]
    fn counters_that_contradict_each_other_are_damage() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let wrong = [
            (Counter::Tried, 11, "than there are"),
            (Counter::Runs, 7, "than runs made"),
            (Counter::Cut, 8, "cut than swept"),
            (Counter::Drawn, 8, "than came to anything"),
            (Counter::Places, u64::MAX, "absurd"),
        ];
        for (counter, n, word) in wrong {
            let mut state = state();
            state.set(counter, n);
            let text = state.json("this one", &Value::Object(asked(1))).to_string();
            fs::write(&path, &text).unwrap();
            let why = why(&path, 1);
            assert!(why.contains("damaged") && why.contains(word), "{why}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let mut state = state();
        state.found[0].first_case = 8;
        assert!(state.contradiction().is_some());
    }

    #[test]
    fn a_link_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("state.json"), dir.path().join("link"));
        std::os::unix::fs::symlink("state.json", &link).unwrap();
        assert!(why(&link, 1).contains("not there"), "to nothing");
        drop(open(&file, 1).unwrap());
        let (mut opened, _) = open(&link, 1).unwrap();
        opened.write(&state()).unwrap();
        drop(opened);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(open(&file, 1).unwrap().1, state());
    }

    #[test]
    fn a_program_is_always_the_same() {
        assert_eq!(program().unwrap(), program().unwrap());
        assert_eq!(program().unwrap().len(), 16);
    }

    #[test]
    fn the_seed_of_a_state_is_known_before_it_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        assert_eq!(seed(&path), None);
        drop(open(&path, 7).unwrap());
        assert_eq!(seed(&path), Some(7));
        fs::write(&path, "no state").unwrap();
        assert_eq!((seed(&path), seed(dir.path())), (None, None));
    }
}
