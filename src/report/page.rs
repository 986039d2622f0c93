//! A page of plain text: wrapped lines, labels, and one column for each CPU.
//!
//! What it is not: it knows nothing of runs. Invariants: no line is wider than [`WIDTH`], commands apart,
//! and none ends in a space; text is wrapped, never cut; what a terminal would act on is shown escaped.

use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

/// How wide a page is, in columns of a terminal.
pub(super) const WIDTH: usize = 80;
/// Between two columns.
const GUTTER: &str = "  ";
/// How far the lines of one text after its first are indented.
const HANG: usize = 2;
/// Where the text beside a label begins.
const LABEL: usize = 12;

/// `text` in lines of at most `width`: the first one indented by `first`, the others by `rest`.
fn wrap(text: &str, width: usize, first: usize, rest: usize) -> Vec<String> {
    let (first, rest) = (" ".repeat(first), " ".repeat(rest));
    let options = Options::new(width)
        .initial_indent(&first)
        .subsequent_indent(&rest)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    let lines = textwrap::wrap(text, options);
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// `text` with everything escaped that would not be seen as itself.
pub(super) fn clean(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            shown.push(c);
        } else {
            shown.extend(c.escape_debug());
        }
    }
    shown
}

/// A page that is being written.
#[derive(Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    /// What was written.
    pub fn into_text(self) -> String {
        self.text
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.line("");
    }

    /// What follows is about `title`.
    pub fn heading(&mut self, title: &str) {
        self.blank();
        self.paragraph(title);
    }

    /// A text over the whole width.
    pub fn paragraph(&mut self, text: &str) {
        self.indented(text, 0, 0);
    }

    /// A text over the whole width, its first line indented by `first`, the others by `rest`.
    pub fn indented(&mut self, text: &str, first: usize, rest: usize) {
        for line in wrap(&clean(text), WIDTH, first, rest) {
            self.line(&line);
        }
    }

    /// A command: on one line however wide it is, and otherwise as it is, since it will be copied.
    pub fn command(&mut self, text: &str) {
        let text: String =
            text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        self.line(&format!("  {text}"));
    }

    /// A text beside what it is. An empty label goes on with the one above.
    pub fn labelled(&mut self, label: &str, text: &str) {
        let lines = wrap(&clean(text), WIDTH - LABEL, 0, HANG);
        for (line, label) in lines.iter().zip([label].into_iter().chain(std::iter::repeat(""))) {
            self.line(&format!("{label:LABEL$}{line}"));
        }
    }

    /// The points of a numbered list.
    pub fn numbered(&mut self, from: usize, points: &[String]) {
        for (number, point) in (from..).zip(points) {
            let head = format!("{number:>4}. ");
            self.indented(&(head.clone() + point), 0, head.len());
        }
    }
}

/// A page divided into columns of equal width.
pub(super) struct Columns {
    count: usize,
    width: usize,
}

impl Columns {
    /// This many columns, at least one.
    pub fn new(count: usize) -> Self {
        let count = count.max(1);
        Self { count, width: (WIDTH - GUTTER.len() * (count - 1)) / count }
    }

    /// `text` as it fills a cell.
    pub fn cell(&self, text: &str, indent: usize) -> Vec<String> {
        wrap(&clean(text), self.width, indent, indent + HANG)
    }

    /// One text in one column.
    pub fn one(&self, page: &mut Page, column: usize, text: &str, indent: usize) {
        let mut cells = vec![Vec::new(); self.count];
        cells[column] = self.cell(text, indent);
        self.beside(page, &cells);
    }

    /// Cells side by side, one a column.
    pub fn beside(&self, page: &mut Page, cells: &[Vec<String>]) {
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for row in 0..height {
            let mut line = String::new();
            for (column, cell) in cells.iter().enumerate() {
                let text = cell.get(row).map_or("", String::as_str);
                let gutter = if column == 0 { "" } else { GUTTER };
                let padding = " ".repeat(self.width.saturating_sub(display_width(text)));
                line.extend([gutter, text, &padding]);
            }
            page.line(&line);
        }
    }

    /// The heads of the columns, underlined.
    pub fn heads(&self, page: &mut Page, heads: &[String]) {
        let cells: Vec<Vec<String>> = heads
            .iter()
            .map(|head| {
                let mut cell = self.cell(head, 0);
                cell.push("-".repeat(self.width));
                cell
            })
            .collect();
        self.beside(page, &cells);
    }
}
