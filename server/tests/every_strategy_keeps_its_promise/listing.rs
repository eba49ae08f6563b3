//! The tests themselves: none is missing.

use std::fs;
use std::path::Path;

use everfresh_server::policy::Policy;

#[test]
fn every_policy_has_a_test_that_bears_its_number_and_its_name() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/every_strategy_keeps_its_promise");
    let mut source = String::new();
    for file in fs::read_dir(folder).unwrap() {
        source.push_str(&fs::read_to_string(file.unwrap().path()).unwrap());
    }
    let tested = |policy: &&Policy| {
        let name = policy.name.replace('-', "_");
        source.contains(&format!("\nasync fn s{:02}_{name}_", policy.number))
    };
    assert_eq!(Policy::all().filter(tested).count(), 41);
    let missing: Vec<_> = Policy::all().filter(|policy| !tested(policy)).collect();
    assert_eq!(missing, Vec::<&Policy>::new());
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
