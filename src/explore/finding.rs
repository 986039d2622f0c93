//! What an exploration finds, and how it is told.
//!
//! A signature names what went wrong without counts, values, lines or seeds, so that the same bug has the
//! same one under another schedule; of a panic it is the first line of the message, numbers left out.
//!
//! What it is not: a judgement of the program beyond panics, deadlocks and livelocks. What else must hold
//! the closure asserts.

use super::run::{Ending, Run};
use super::schedule::TaskName;
use super::text::Schedule;
use std::fmt;

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A panic that nobody handled by joining its task.
    Panic {
        /// The task that panicked.
        task: TaskName,
        /// With this message.
        message: String,
        /// At this line, `file:line`, if it is known.
        place: Option<String>,
    },
    /// Tasks are left that wait, and nobody can go on.
    Deadlock(Vec<Wait>),
    /// The run had more points than it may have, half of them with everybody getting turns.
    Livelock {
        /// Who ran last.
        task: TaskName,
    },
}

/// A task that waits for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wait {
    /// The task.
    pub task: TaskName,
    /// What it waits in, such as `mutex0.lock`.
    pub what: String,
    /// The line, `file:line`, if it is known.
    pub place: Option<String>,
    /// Who holds what it waits for.
    pub holders: Vec<TaskName>,
}

/// Something went wrong under a schedule.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// Its stable name.
    pub signature: String,
    /// The schedule, made small.
    pub schedule: Schedule,
    /// The execution it was found in, from 1; zero for a replay.
    pub execution: u64,
    /// How many decisions the schedule had then.
    pub decisions_found: usize,
    /// How many more executions it took to make it small and to replay it.
    pub executions_reducing: u64,
    /// Whether replays agree. If not, the closure does not do the same under the same schedule.
    pub replays: bool,
    /// What happened, in order.
    pub(super) story: String,
}

/// What is known of an ending before it is told.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub kind: Kind,
    pub signature: String,
}

impl Failure {
    /// The failure that a run ended with.
    ///
    /// # Panics
    /// If that is the policy's.
    pub fn of(run: &Run, ending: Ending) -> Self {
        match ending {
            Ending::Panic(panicked) => Self {
                signature: format!("panic {}", without_numbers(&panicked.message)),
                kind: Kind::Panic {
                    task: run.name(panicked.task),
                    message: panicked.message,
                    place: panicked.place,
                },
            },
            Ending::Deadlock(waits) => {
                let mut kinds: Vec<_> = waits.iter().map(|w| run.access_kind(&w.what)).collect();
                kinds.sort();
                kinds.dedup();
                let wait = |wait: &super::run::Waits| Wait {
                    task: run.name(wait.task),
                    what: run.access_name(&wait.what, None),
                    place: wait.what.at.map(|at| format!("{}:{}", at.file(), at.line())),
                    holders: wait.holders.iter().map(|&task| run.name(task)).collect(),
                };
                Self {
                    signature: format!("deadlock {}", kinds.join(" ")),
                    kind: Kind::Deadlock(waits.iter().map(wait).collect()),
                }
            }
            Ending::Livelock(task) => Self {
                signature: "livelock".to_owned(),
                kind: Kind::Livelock { task: run.name(task) },
            },
            Ending::Policy(task) => panic!("the policy chose task {task}, which cannot go on"),
        }
    }
}

/// The first line of a message as one line of plain characters, with `#` for each number.
fn without_numbers(message: &str) -> String {
    let mut text = String::new();
    for c in message.lines().next().unwrap_or_default().trim().chars() {
        match c {
            '0'..='9' if text.ends_with('#') => {}
            '0'..='9' => text.push('#'),
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    text
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic { task, message, place } => {
                write!(f, "panic in {task}: {message}")?;
                place.iter().try_for_each(|place| write!(f, "\n  at {place}"))
            }
            Self::Deadlock(waits) => {
                f.write_str("deadlock: nobody can go on")?;
                waits.iter().try_for_each(|wait| write!(f, "\n  {wait}"))
            }
            Self::Livelock { task } => {
                write!(f, "livelock: the run goes on for ever, last in {task}")
            }
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} waits in {}", self.task, self.what)?;
        for (at, holder) in self.holders.iter().enumerate() {
            write!(f, "{} {holder}", if at == 0 { ", held by" } else { "," })?;
        }
        self.place.iter().try_for_each(|place| write!(f, " ({place})"))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.kind)?;
        writeln!(f, "signature   {}", self.signature)?;
        if self.execution > 0 {
            writeln!(f, "found       in execution {}", self.execution)?;
            let (from, to) = (self.decisions_found, self.schedule.decisions.len());
            let runs = self.executions_reducing;
            writeln!(f, "reduced     from {from} to {to} decisions, in {runs} executions")?;
        }
        if !self.replays {
            writeln!(
                f,
                "\nThis schedule does not always show it: the closure does not do the same twice. Look \
                 for clocks,\nrandom numbers, the order of hash tables, and state that outlives a run."
            )?;
        }
        writeln!(f, "\nwhat happened (time runs down)\n{}", self.story)?;
        writeln!(f, "schedule\n{}", self.schedule)?;
        f.write_str(
            "To replay it, save the schedule (from its first line, or with `Finding::save`), and call\n\
             `pagerace::explore::replay(path, closure)`.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::without_numbers;

    #[test]
    fn a_message_is_one_line_without_numbers() {
        assert_eq!(without_numbers("lost 17 of\t20: -3\nleft: 4"), "lost # of #: -#");
        assert_eq!(without_numbers(""), "");
    }
}
