//! The searches themselves, with one fault or deed in a run. `cargo xtask search` goes further.

use everfresh_search::{explore::explore, setup::Setup};

fn keeps_every_promise(name: &str) {
    let found = Setup::all().into_iter().find(|setup| setup.name == name);
    let setup = Setup { most_troubles: 1, ..found.expect("there is such a search") };
    let findings = explore(&setup, 2);
    println!("{name}: {} states, {} moves", findings.states, findings.moves);
    assert!(
        findings.story.is_none(),
        "{}",
        findings.story.map(|it| it.to_string()).unwrap_or_default()
    );
    assert!(findings.limits.is_empty(), "one fault alone meets no limit: {:?}", findings.limits);
    assert!(findings.states > 10_000 && findings.ends > 100, "it went somewhere: {findings:?}");
}

#[test]
fn of_two_tabs() {
    keeps_every_promise("two tabs");
}

#[test]
fn of_two_tabs_without_locks() {
    keeps_every_promise("two tabs without locks");
}

#[test]
fn the_same_search_finds_the_same() {
    let setups = Setup::all();
    let two = setups.iter().find(|setup| setup.name == "two tabs").expect("it is there");
    let setup = Setup { most_troubles: 1, faults: &[], ..two.clone() };
    let counts = |cores| {
        let findings = explore(&setup, cores);
        (findings.states, findings.moves, findings.ends, findings.depth)
    };
    assert_eq!(counts(1), counts(3), "however many cores there are");
}
