//! docs/standards.md names a test for each requirement. Here is the test that they exist.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn the_table_names_real_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut rust, mut script) = (BTreeSet::new(), BTreeSet::new());
    for file in files(&root.join("server"), "rs") {
        rust.extend(rust_tests(&fs::read_to_string(file).unwrap()));
    }
    for file in files(&root.join("pkg/test"), "mjs") {
        let text = fs::read_to_string(file).unwrap();
        let names = text.split("test(\"").skip(1).filter_map(|rest| rest.split('"').next());
        script.extend(names.map(str::to_owned));
    }
    let page = fs::read_to_string(root.join("docs/standards.md")).unwrap();
    let mut rows = 0;
    let mut missing = Vec::new();
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.contains("| Test |")) {
        rows += 1;
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let names: Vec<&str> = cell.split(['`', '"']).skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test: {row}");
        for name in names {
            if !rust.contains(name) && !script.contains(name) {
                missing.push(name.to_owned());
            }
        }
    }
    assert_eq!(missing, [] as [&str; 0], "named in docs/standards.md, and not there");
    assert!(rows > 50, "only {rows} rows were read");
}

/// The functions that stand behind an attribute that ends in `test]`.
fn rust_tests(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut names = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let test = line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let function = lines[number + 1..]
            .iter()
            .take(3)
            .find_map(|line| line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")));
        if let Some(function) = function.filter(|_| test) {
            names.extend(function.split('(').next().map(str::to_owned));
        }
    }
    names
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|other| other == ending) {
            found.push(path);
        }
    }
    found
}
