//! What the command line accepts.
//!
//! The commands and their options are declared here; what depends on the subject (profiles, switches,
//! set-up fields) is filled in from its tables when the program starts, so that `--help`, completions
//! and the errors for names that do not exist list what there is, and suggest what is near.
//!
//! What it is not: what the commands do.

mod compare;

pub use compare::Compare;

use crate::subject::Spec;
use clap::builder::{ArgPredicate, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Parser, Subcommand, value_parser};
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;

/// Finds concurrency bugs in page allocators and page caches, and keeps each as a minimal,
/// replayable case.
#[derive(Debug, Parser)]
#[command(
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "Exit codes: 0 nothing found, or all as expected; 1 findings, or a mismatch; \
                  2 could not run.\n\n\
                  Example: find a race, and look at it again\n  \
                  pagerace hunt --out found\n  \
                  pagerace replay found/*.case"
)]
pub struct Cli {
    /// Which command.
    #[command(subcommand)]
    pub action: Action,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Action {
    Hunt(Hunt),
    Sweep(Sweep),
    Compare(Compare),
    Replay(Replay),
    Show(Show),
    Minimize(Minimize),
    Races(Races),
    /// Look after the entries that are kept.
    Corpus(Corpus),
    Completions(Completions),
}

/// Run random cases until a race is found.
///
/// The campaign starts from nothing: no seed corpus, no dictionary. Every finding is reduced, shown,
/// and kept as an entry. What a job runs depends on the seed and its number alone.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: look for races of the default profile, the same ones every time\n  \
                        pagerace hunt --seed 1 --out found\n\n\
                        Example: does the current version stay silent?\n  \
                        pagerace hunt --profile current --executions 1000000 --keep-going\n\n\
                        Example: how soon is each race on record found?\n  \
                        pagerace hunt --all-races --jobs 2 --seconds 60"
)]
pub struct Hunt {
    #[command(flatten)]
    pub history: History,
    /// End after this time [default: 20, unless --executions is given]
    #[arg(long, value_name = "N", value_parser = seconds)]
    pub seconds: Option<Duration>,
    /// End after this many cases, all jobs together
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub executions: Option<u64>,
    /// Choose the cases [default: drawn, and printed]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Threads to run cases on
    #[arg(long, value_name = "N", default_value = "1", value_parser = value_parser!(u16).range(1..=1024))]
    pub jobs: u16,
    /// CPUs of every case [default: drawn for each]
    #[arg(long, value_name = "N", value_parser = value_parser!(u8).range(1..=pagerace_core::sync::MAX_CPUS as i64))]
    pub cpus: Option<u8>,
    /// Go on after the first race
    ///
    /// Without it too, a hunt goes on after races in which a scanner dropped the last reference
    /// (`leak/block/scan`): they are met early, and would hide those of lookups.
    #[arg(long)]
    pub keep_going: bool,
    /// Keep entries in this directory [default: the checkout's corpus]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print one JSON object on standard output, and everything else on standard error
    ///
    /// A finding's `first_execution` counts the cases of the job that found it, from one. Of --all-races,
    /// `executions` and `seconds` of a race are those of its median seed, `seconds_each` and
    /// `executions_each` the limits of each.
    #[arg(long)]
    pub json: bool,
    /// Hunt for each race on record, alone on the default profile
    ///
    /// Each seed of a race ends at the signature on record, or when its time or cases are up; both, like
    /// --jobs, are for each seed of each race. Cases and time are those of the median seed, by time, of
    /// those that found it. Ends with 0 if all are found, each by one seed at least. Nothing is kept.
    #[arg(long, conflicts_with_all = ["profile", "set", "out", "keep_going"])]
    pub all_races: bool,
    /// Seeds to hunt for each race with, from --seed on, or from 1 [default: 3]
    #[arg(long, value_name = "N", requires = "all_races", value_parser = value_parser!(u64).range(1..=1000))]
    pub seeds: Option<u64>,
    /// Of the races on record, hunt for this one only; may be given several times
    #[arg(long, value_name = "NAME", requires = "all_races")]
    pub only: Vec<String>,
    /// The value of each field of the spec, if it is fixed. Filled in by [`parse`].
    #[arg(skip)]
    pub fields: Vec<Option<u32>>,
}

/// Take one reference more at every instant, and see whether anything is lost.
///
/// The cases pass by themselves. Each is run again for every instant, every frame that has a count
/// then, and every later instant: the reference is taken at the first and dropped at the second.
/// Whatever the oracles then say is a finding; it is reduced, shown, and once more shown without the
/// injected reference if an operation is found that takes it. Without `--all`, instants that nothing
/// tells apart are tried once.
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("what").args(["file", "random"]).required(true),
    after_help = "Example: is every block freed whoever drops the last reference?\n  \
                  pagerace sweep --random 2000 --seed 1\n\n\
                  Example: a long one, that goes on where it was when it is run again\n  \
                  pagerace sweep --random 1000000 --seed 1 --state sweep.json\n\n\
                  Example: which instants does this case not survive?\n  \
                  pagerace sweep idea.case --all"
)]
pub struct Sweep {
    /// The case
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Sweep so many random cases, those that show something by themselves not counted
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub random: Option<u64>,
    #[command(flatten)]
    pub source: Source,
    /// Choose the random cases [default: that of --state, or drawn, and printed]
    #[arg(long, value_name = "N", conflicts_with = "file")]
    pub seed: Option<u64>,
    /// Keep in this file how far the sweep is, and go on from there
    ///
    /// The file is made if it is not there, and replaced as a whole now and then. One process at a time
    /// may use it. A later run may ask for more random cases, and for nothing else, and is one of the same
    /// program: what another one found says nothing of this one.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Try every instant, also those that nothing tells apart
    #[arg(long)]
    pub all: bool,
    /// The most runs for one case; what is not tried is said
    #[arg(long, value_name = "N", default_value = "20000", value_parser = value_parser!(u64).range(1..))]
    pub runs: u64,
    /// CPUs of every random case [default: drawn for each]
    #[arg(long, value_name = "N", conflicts_with = "file", value_parser = value_parser!(u8).range(1..=i64::from(crate::sweep::MOST_CPUS)))]
    pub cpus: Option<u8>,
    /// Keep entries in this directory [default: none are kept]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print one JSON object on standard output, and everything else on standard error
    ///
    /// A finding's `first_case` counts the cases that were swept, from one, and `count` the runs that
    /// showed it; `concrete` is the case that shows it without an injected reference, or null.
    #[arg(long)]
    pub json: bool,
    /// The value of each field of the spec, if it is fixed. Filled in by [`parse`].
    #[arg(skip)]
    pub fields: Vec<Option<u32>>,
}

/// Run cases again and compare with what they expect.
///
/// An entry holds if it shows exactly the finding that it expects, every operation runs and every
/// decision is taken. A case that expects nothing holds if nothing is found.
#[derive(Debug, Args)]
#[command(after_help = "Example: is this race still there, every time?\n  \
                        pagerace replay corpus/seed_race/nc-free-leak.case --times 1000\n\n\
                        Example: is it gone in another version?\n  \
                        pagerace replay corpus/seed_race/nc-free-leak.case --profile current")]
pub struct Replay {
    /// The cases
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Run each so often, which must make no difference
    #[arg(long, value_name = "N", default_value = "1", value_parser = value_parser!(u64).range(1..))]
    pub times: u64,
    #[command(flatten)]
    pub source: Source,
}

/// Print a case and the report of its run.
#[derive(Debug, Args)]
#[command(after_help = "Example: what does this race look like?\n  \
                        pagerace show corpus/seed_race/nc-free-leak.case\n\n\
                        Example: what has the fuzzing engine found?\n  \
                        pagerace show --bytes --profile linux-5.9 crash-0a1b2c\n\n\
                        Example: and what has its target `history`?\n  \
                        pagerace show --bytes --own-history crash-3d4e5f")]
pub struct Show {
    /// The case
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub source: Source,
}

/// Make a case small while it keeps showing the same finding.
///
/// Fewer CPUs, operations and switches, simpler operands; the signature and the kind stay. What comes
/// out expects its finding, and can be kept as an entry.
#[derive(Debug, Args)]
#[command(after_help = "Example: a readable case from what the fuzzing engine has found\n  \
                        pagerace minimize --bytes --profile linux-5.9 crash-0a1b2c -o small.case")]
pub struct Minimize {
    /// The case
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write it there [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub source: Source,
}

/// List the variants of history and the races on record.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example: what is on record about one of them?\n  \
                  pagerace races show racy-pagehead\n\n\
                  Example: which entry fails under which version?\n  \
                  pagerace races --matrix\n\n\
                  Example: is every entry as small as it can be?\n  \
                  pagerace races --sizes",
    group = clap::ArgGroup::new("of entries").args(["matrix", "sizes"])
)]
pub struct Races {
    /// Print one JSON object on standard output
    #[arg(long)]
    pub json: bool,
    /// Replay every entry under every profile, and say what it shows there
    #[arg(long)]
    pub matrix: bool,
    /// Say how large every entry is, and what is the least that shows the same
    ///
    /// Both are found by running all schedules of the entry's programs: with fewer switches, and of
    /// fewer of its operations, with up to one switch more. An entry takes some seconds at most; where
    /// that was not enough, `>=` stands before what is known. Ends with 1 if one could be smaller.
    #[arg(long)]
    pub sizes: bool,
    /// The directory of the entries of --matrix or --sizes, and of directories of entries [default: the
    /// checkout's corpus]
    #[arg(long, value_name = "DIR", requires = "of entries")]
    pub corpus: Option<PathBuf>,
    #[command(subcommand)]
    pub action: Option<RacesAction>,
}

/// What to do with the record.
#[derive(Debug, Subcommand)]
pub enum RacesAction {
    /// Print all that is on record about a race.
    #[command(after_help = "Example: how did the kernel come to free pages twice?\n  \
                            pagerace races show racy-pagehead")]
    Show {
        /// The race
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Look after the entries that are kept.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Example: does every entry still hold?\n  pagerace corpus check"
)]
pub struct Corpus {
    /// The directory of the entries, and of directories of entries [default: the checkout's corpus]
    #[arg(long, value_name = "DIR", global = true)]
    pub corpus: Option<PathBuf>,
    #[command(subcommand)]
    pub action: CorpusAction,
}

/// What to do with entries.
#[derive(Debug, Subcommand)]
pub enum CorpusAction {
    /// Replay every entry: it shows its finding with its own history, and nothing on the default
    /// profile.
    #[command(after_help = "Example: do the entries of another directory hold?\n  \
                            pagerace corpus check --corpus found")]
    Check,
    /// Rewrite every entry in its canonical form.
    #[command(after_help = "Example: after editing an entry by hand\n  pagerace corpus fmt")]
    Fmt,
    /// Write the cases of all entries as bytes that a fuzzing engine starts from.
    #[command(after_help = "Example: start a fuzz target from what is known\n  \
                            pagerace corpus export seeds\n  \
                            cargo fuzz run page_cache seeds")]
    Export {
        /// The directory to write to; it is made
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Keep a case as an entry.
    ///
    /// It is run first; what it shows is what its entry expects. A finding that the corpus has already
    /// is not added again.
    #[command(after_help = "Example: keep a case that was written by hand\n  \
                            pagerace corpus add idea.case --name my-race")]
    Add {
        /// The case
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What the entry is called [default: by what it shows]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        source: Source,
    },
}

/// Print the completions of a shell.
#[derive(Debug, Args)]
#[command(after_help = "Example: for this user's bash\n  \
                        pagerace completions bash > ~/.local/share/bash-completion/completions/pagerace")]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Which history cases run with.
#[derive(Clone, Debug, Default, Args)]
pub struct History {
    /// The version of the allocator's core to run
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// Change one switch of the profile; may be given several times
    #[arg(long, value_name = "SWITCH=VARIANT")]
    pub set: Vec<String>,
}

/// How a file is read.
#[derive(Clone, Debug, Args)]
pub struct Source {
    /// The file holds raw bytes of a fuzzing engine, not text
    #[arg(long)]
    pub bytes: bool,
    /// The bytes begin with their own history, as those of the fuzz target `history` do
    #[arg(long, requires = "bytes")]
    pub own_history: bool,
    /// Run under this history in place of the case's own; bytes that carry none mean the default one
    #[command(flatten)]
    pub history: History,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "write a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("write a number of seconds above zero".to_owned()),
    }
}

/// The profile that a hunt is for if none is named: the oldest with a documented race. Profiles are
/// listed newest first.
pub fn hunted_profile(spec: &Spec) -> &'static str {
    let racy = |history: &[u8]| {
        let mut both = spec.switches.iter().zip(history);
        both.any(|(switch, &variant)| switch.variants[usize::from(variant)].racy)
    };
    let oldest = spec.profiles.iter().rev().find(|profile| racy(profile.history));
    oldest.map_or(spec.profiles[0].name, |profile| profile.name)
}

/// The command line for a subject, called `name`.
pub fn command(spec: &'static Spec, name: &str) -> Command {
    use clap::CommandFactory as _;
    let named = |command: Command| with_history(command, spec);
    let command = Cli::command().name(name.to_owned()).bin_name(name.to_owned());
    command
        .mut_subcommand("hunt", |hunt| {
            let hunt = named(hunt);
            let default = hunted_profile(spec);
            let current = spec.profiles[0].name;
            let hunt = hunt.mut_arg("profile", |arg| {
                // Where one mechanism is asked about, its surroundings are to be silent.
                let help = format!(
                    "The version of the allocator's core to run [default: {default}; with --set: \
                     {current}]"
                );
                let arg = arg.default_value(default).hide_default_value(true).help(help);
                arg.default_value_if("set", ArgPredicate::IsPresent, current)
            });
            let hunt = hunt.mut_arg("only", |arg| arg.value_parser(race_names(spec)));
            spec.fields.iter().fold(hunt, with_field)
        })
        .mut_subcommand("sweep", |sweep| {
            let default = spec.profiles[0].name;
            let help = format!("The version to run [default: {default}; of a file, its own]");
            let sweep = named(sweep).mut_arg("profile", |arg| arg.help(help));
            let sweep = spec.fields.iter().fold(sweep, with_field);
            let ids = spec.fields.iter().map(|field| field_id(field.name));
            ids.fold(sweep, |sweep, id| sweep.mut_arg(id, |arg| arg.conflicts_with("file")))
        })
        .mut_subcommand("compare", |compare| {
            let history = || compare::HistoryParser(spec);
            let compare = compare.mut_arg("first", |arg| arg.value_parser(history()));
            let compare = compare.mut_arg("second", |arg| arg.value_parser(history()));
            spec.fields.iter().fold(compare, with_field)
        })
        .mut_subcommand("replay", named)
        .mut_subcommand("show", named)
        .mut_subcommand("minimize", named)
        .mut_subcommand("races", |races| {
            races.mut_subcommand("show", |show| {
                show.mut_arg("name", |arg| arg.value_parser(race_names(spec)))
            })
        })
        .mut_subcommand("corpus", |corpus| corpus.mut_subcommand("add", named))
}

/// The races on record.
fn race_names(spec: &'static Spec) -> PossibleValuesParser {
    PossibleValuesParser::new(spec.races.iter().map(|race| PossibleValue::new(race.name)))
}

/// Says which profiles, switches and variants there are.
fn with_history(command: Command, spec: &'static Spec) -> Command {
    let profiles = spec.profiles.iter().map(|profile| PossibleValue::new(profile.name));
    let variants: Vec<PossibleValue> = spec
        .switches
        .iter()
        .flat_map(|switch| switch.variants.iter().map(move |variant| (switch, variant)))
        .map(|(switch, variant)| {
            PossibleValue::new(format!("{}={}", switch.name, variant.name)).help(variant.doc)
        })
        .collect();
    command
        .mut_arg("profile", |arg| arg.value_parser(PossibleValuesParser::new(profiles)))
        .mut_arg("set", |arg| arg.value_parser(PossibleValuesParser::new(variants)))
}

/// Adds the option that fixes a field.
fn with_field(command: Command, field: &'static crate::subject::FieldSpec) -> Command {
    let values = field.values.iter().map(|value| PossibleValue::new(value.to_string()));
    let number = PossibleValuesParser::new(values)
        .map(|text: String| text.parse::<u32>().expect("the values are printed numbers"));
    let mut long = field.name.replace('_', "-");
    if command.get_arguments().any(|arg| arg.get_long() == Some(&long)) {
        long.insert_str(0, "field-");
    }
    let help = format!("{} [default: drawn for each case]", capitalized(field.doc));
    let arg = Arg::new(field_id(field.name)).long(long).value_name("N").value_parser(number);
    command.arg(arg.help(help))
}

/// What clap knows the option of a field by: no name that a declared option has.
fn field_id(name: &str) -> String {
    format!("field {name}")
}

fn capitalized(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Reads the options.
///
/// # Errors
/// What clap says to them: help that was asked for, too.
pub fn parse(spec: &Spec, matches: &ArgMatches) -> Result<Cli, clap::Error> {
    let mut cli = Cli::from_arg_matches(matches)?;
    let fields = match &mut cli.action {
        Action::Hunt(hunt) => &mut hunt.fields,
        Action::Sweep(sweep) => &mut sweep.fields,
        Action::Compare(compare) => &mut compare.fields,
        _ => return Ok(cli),
    };
    if let Some((_, matches)) = matches.subcommand() {
        let value = |name| matches.get_one::<u32>(&field_id(name)).copied();
        *fields = spec.fields.iter().map(|field| value(field.name)).collect();
    }
    Ok(cli)
}

#[cfg(test)]
mod tests;
