//! What happened in a run, for people: who did what, and where another went on.
//!
//! What it is not: complete. Of a long stretch of one task its ends are shown, and of a long run its end.

use super::run::{Did, Line, Run};
use std::fmt::Write as _;

/// The most lines of one stretch: half of them at its beginning.
const STRETCH: usize = 8;
/// The most stretches.
const STRETCHES: usize = 40;

/// Tells a run from its lines.
pub(super) fn tell(run: &Run, lines: &[Line]) -> String {
    let stretches: Vec<&[Line]> = lines.chunk_by(|a, b| a.task == b.task).collect();
    let skipped = stretches.len().saturating_sub(STRETCHES);
    let mut text = String::new();
    if skipped > 0 {
        text.push_str(&format!("... {skipped} earlier turns\n"));
    }
    for stretch in &stretches[skipped..] {
        writeln!(text, "{}", run.name(stretch[0].task)).expect("strings grow");
        let hidden = if stretch.len() > STRETCH { stretch.len() - STRETCH } else { 0 };
        for (at, line) in stretch.iter().enumerate() {
            if hidden > 0 && at == STRETCH / 2 {
                writeln!(text, "    ... {hidden} more").expect("strings grow");
            }
            if hidden == 0 || at < STRETCH / 2 || at >= STRETCH / 2 + hidden {
                writeln!(text, "    {}", tell_line(run, line)).expect("strings grow");
            }
        }
    }
    text
}

fn tell_line(run: &Run, line: &Line) -> String {
    match line.did {
        Did::Access { kind, old, new } => {
            let mut text = run.access_name(&line.what, Some(kind));
            if text.starts_with("atomic") {
                let values = if old == new { format!(" {old}") } else { format!(" {old}->{new}") };
                text.push_str(&values);
            }
            if let Some(at) = line.what.at {
                text.push_str(&format!("  ({}:{})", at.file(), at.line()));
            }
            text
        }
        Did::Waits => format!("waits in {}", run.access_name(&line.what, None)),
        Did::Switches { at, to, chosen } => {
            let why = if chosen { "chosen" } else { "by itself" };
            format!(
                "at {at}, before {}: {} goes on, {why}",
                run.access_name(&line.what, None),
                run.name(to)
            )
        }
        Did::Spawns(task) => format!("starts {}", run.name(task)),
        Did::Panics => "panics".to_owned(),
        Did::Ends => "ends".to_owned(),
    }
}
