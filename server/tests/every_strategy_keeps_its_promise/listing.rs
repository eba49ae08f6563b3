//! The tests themselves: none is missing.

use std::fs;
use std::path::Path;

use everfresh_server::policy::Policy;

#[test]
fn every_policy_has_a_test_that_bears_its_number_and_its_name() {
    let source = source(FOLDERS[0]);
    let tested = |policy: &Policy| {
        let name = policy.name.replace('-', "_");
        source.contains(&format!("\nasync fn s{:02}_{name}_", policy.number))
    };
    assert_eq!(Policy::all().filter(tested).count(), 41);
    let missing: Vec<_> = Policy::all().filter(|policy| !tested(policy)).collect();
    assert_eq!(missing, Vec::<Policy>::new());
}

#[test]
fn the_table_of_strategies_names_every_policy_and_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let table = fs::read_to_string(root.join("docs/strategies.md")).unwrap();
    for (policy, folder) in Policy::all().flat_map(|policy| FOLDERS.map(|folder| (policy, folder)))
    {
        let start = format!("| S{} | `{}` |", policy.number, policy.name);
        let row = table.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("no row begins {start}"));
        let source = source(folder);
        let named = row.split('`').filter(|word| source.contains(&format!("\nasync fn {word}()")));
        assert_eq!(named.count(), 1, "{folder}: {row}");
    }
}

#[test]
fn the_list_of_policies_prints_all_of_them() {
    let program = env!("CARGO_BIN_EXE_everfresh-server");
    let output = std::process::Command::new(program).arg("--list-policies").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let listed: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let known: Vec<&str> = Policy::all().map(|policy| policy.name).collect();
    assert_eq!(listed, known);
}

fn source(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

const FOLDERS: [&str; 2] =
    ["every_strategy_keeps_its_promise", "the_sdk_lives_through_every_strategy"];
