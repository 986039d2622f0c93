//! The documents and the tree say the same: layers and their order, who names shuttle and `mm`, the
//! lists in ARCHITECTURE.md and README.md, and what every source file promises about itself.
//!
//! What it is not: a parser. It goes by lines and words, and by the names of files for tests: code
//! from a `#[cfg(test)]` at the start of a line on, and files called `tests`, `testing` or `toy`, may
//! use what they like.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use pagerace::oracle::Class;
use pagerace::subject::Subject as _;
use pagerace::subject::mm::MmSubject;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The most lines of a file.
const MOST_LINES: usize = 500;
/// The most lines of a fuzz target.
const MOST_LINES_OF_TARGET: usize = 20;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The Rust files below a directory of the package, by path from its root.
fn rust_files(directory: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().unwrap() != "target" {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "{directory} has files");
    files
}

/// Whether a file holds tests only.
fn is_test(path: &Path) -> bool {
    let names = ["tests", "testing", "toy"];
    path.components().any(|part| {
        let part = Path::new(part.as_os_str()).file_stem().unwrap();
        names.iter().any(|name| part == *name)
    })
}

/// The lines that ship, comments left out.
fn shipped(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .filter(|line| !line.trim_start().starts_with("//"))
}

/// The first cells of the rows of the table that follows this heading cell in a document: names in
/// backquotes.
fn table(document: &str, heading: &str) -> Vec<Vec<String>> {
    let start = format!("| {heading} |");
    let rows = document.lines().skip_while(|line| !line.starts_with(&start)).skip(2);
    let cells = rows.take_while(|line| line.starts_with('|')).map(|line| {
        let first = line.split('|').nth(1).unwrap();
        first.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    });
    let rows: Vec<Vec<String>> = cells.collect();
    assert!(!rows.is_empty(), "there is a table of `{heading}`");
    rows
}

/// Where a layer's files are, from the root.
fn place(layer: &str) -> PathBuf {
    let candidates = ["core/", ""].map(|of| Path::new("src").join(of).join(layer));
    let exists = |path: &PathBuf| {
        root().join(path).is_dir() || root().join(path).with_extension("rs").is_file()
    };
    candidates.into_iter().find(exists).unwrap_or_else(|| panic!("{layer} is in the tree"))
}

/// The layer that a file belongs to.
fn layer_of<'a>(path: &Path, layers: &'a [Vec<String>]) -> Option<(usize, &'a str)> {
    let places = layers.iter().enumerate().flat_map(|(at, row)| row.iter().map(move |l| (at, l)));
    places.map(|(at, layer)| (at, layer.as_str())).find(|(_, layer)| {
        path.starts_with(place(layer)) || path.with_extension("") == place(layer)
    })
}

/// The modules of the crates that a line names: `crate::x`, `crate::{x, y}`, `pagerace_core::x`.
fn named(line: &str) -> Vec<&str> {
    let word = |text: &'_ str| text.find(|c: char| !c.is_ascii_lowercase() && c != '_');
    let mut names = Vec::new();
    for root in ["crate::", "pagerace_core::"] {
        for (at, _) in line.match_indices(root) {
            let rest = &line[at + root.len()..];
            let all = rest.strip_prefix('{').map_or(vec![rest], |list| list.split(", ").collect());
            names.extend(all.into_iter().map(|name| &name[..word(name).unwrap_or(name.len())]));
        }
    }
    names
}

#[test]
fn a_layer_uses_only_layers_above_it() {
    let layers = table(&read("ARCHITECTURE.md"), "layer");
    let rank = |name: &str| layers.iter().position(|row| row.iter().any(|layer| layer == name));
    let mut checked = 0;
    for path in rust_files("src").iter().filter(|path| !is_test(path)) {
        let Some((own, layer)) = layer_of(path, &layers) else {
            let name = path.file_name().unwrap();
            assert!(name == "lib.rs" || name == "main.rs", "{} has a layer", path.display());
            continue;
        };
        for line in shipped(&read(path)) {
            for name in named(line) {
                let of = rank(name);
                assert!(
                    of.is_none_or(|of| of <= own),
                    "{}: {layer} may not use {name}: {line}",
                    path.display()
                );
                checked += usize::from(of.is_some());
            }
        }
    }
    assert!(checked > 100, "imports are recognized: {checked}");
    assert_eq!(named("use crate::{exec, report::Report};"), ["exec", "report"]);
}

#[test]
fn every_module_is_a_layer() {
    let layers: BTreeSet<String> =
        table(&read("ARCHITECTURE.md"), "layer").into_iter().flatten().collect();
    let mut modules = BTreeSet::new();
    for file in ["src/lib.rs", "src/core/lib.rs"] {
        let text = read(file);
        let names = text.lines().filter_map(|line| line.strip_prefix("pub mod "));
        modules.extend(names.map(|name| name.trim_end_matches(';').to_owned()));
    }
    assert_eq!(layers, modules);
}

#[test]
fn three_names_are_confined() {
    for path in rust_files("src").iter().filter(|path| !is_test(path)) {
        for line in shipped(&read(path)) {
            let shuttle = line.contains("shuttle_engine::");
            assert!(!shuttle || path.ends_with("exec/engine.rs"), "{}: {line}", path.display());
            let stacks = line.contains("corosensei::");
            assert!(!stacks || path.ends_with("exec/resident.rs"), "{}: {line}", path.display());
            let mm = line.contains("pagerace_core::mm") || line.contains("subject::mm");
            let may = path.starts_with("src/subject/mm")
                || path == Path::new("src/main.rs")
                || path == Path::new("src/subject/mod.rs");
            assert!(!mm || may, "{}: {line}", path.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    for directory in ["src", "tests", "corpus", "examples", "benches", "fuzz"] {
        for path in rust_files(directory) {
            let text = read(&path);
            assert!(text.starts_with("//! "), "{} opens with `//!`", path.display());
            let lines = text.lines().count();
            assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
        }
    }
    assert!(read("ARCHITECTURE.md").lines().count() < 200);
}

#[test]
fn fuzz_targets_are_listed_and_small() {
    let targets: BTreeSet<String> = rust_files("fuzz/fuzz_targets")
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    for (document, heading) in [("ARCHITECTURE.md", "fuzz target"), ("README.md", "target")] {
        let listed: BTreeSet<String> =
            table(&read(document), heading).into_iter().flatten().collect();
        assert_eq!(listed, targets, "{document}");
    }
    let manifest = read("fuzz/Cargo.toml");
    for target in &targets {
        let path = format!("path = \"fuzz_targets/{target}.rs\"");
        assert!(manifest.contains(&path), "{target} has no [[bin]] in fuzz/Cargo.toml");
        let text = read(format!("fuzz/fuzz_targets/{target}.rs"));
        assert!(text.lines().count() <= MOST_LINES_OF_TARGET, "{target}");
        assert!(text.contains(&format!("name: \"{target}\"")), "{target} calls itself so");
    }
}

#[test]
fn the_allocators_target_leaves_out_the_cache_and_those_of_races_what_is_none() {
    let says =
        |target: &str, what: &str| read(format!("fuzz/fuzz_targets/{target}.rs")).contains(what);
    // By the operand that everything takes that uses the cache.
    assert!(says("buddy", "without: &[\"mapping\"],"));
    for target in ["seed_race", "history"] {
        assert!(says(target, "canary: true"), "{target}");
    }
}

#[test]
fn the_readme_lists_the_classes_and_names_what_there_is() {
    let readme = read("README.md");
    let list = readme.split("Classes of findings: ").nth(1).unwrap();
    let list = list.split('.').next().unwrap();
    let listed: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    assert_eq!(listed, Class::ALL.map(Class::name));
    for name in ["linux-5.9", "current"] {
        assert!(MmSubject::spec().profile(name).is_some() && readme.contains(name), "{name}");
    }
    for race in MmSubject::spec().races {
        assert!(MmSubject::spec().variant(race.switch, race.variant).is_some(), "{}", race.name);
    }
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    let mut links = 0;
    let documents = [
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "docs/your-allocator.md",
        "docs/explore.md",
    ];
    let pages = MmSubject::spec().races.iter().map(|race| format!("docs/races/{}.md", race.name));
    let documents = documents.map(str::to_owned).into_iter().chain(pages);
    for document in documents.chain(["docs/races.md".to_owned()]) {
        let directory = Path::new(&document).parent().unwrap().to_owned();
        let text = read(&document);
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let file = link.split('#').next().unwrap();
            assert!(root().join(&directory).join(file).exists(), "{document}: {link}");
            links += 1;
        }
    }
    assert!(links > 5, "links are recognized: {links}");
}

#[test]
fn fidelity_goes_through_the_operations_in_the_order_of_their_table() {
    let told: Vec<String> = table(&read("docs/fidelity.md"), "operation").concat();
    let spec = MmSubject::spec();
    let ops = spec.ops.iter().chain(spec.injected.iter().map(|injected| &injected.op));
    let table: Vec<&str> = ops.map(|op| op.name).collect();
    for at in 0..told.len().max(table.len()) {
        let (told, table) = (told.get(at).map(String::as_str), table.get(at).copied());
        assert_eq!(told, table, "line {} of the operations in docs/fidelity.md", at + 1);
    }
}
