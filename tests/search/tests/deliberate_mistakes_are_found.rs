//! A search that finds nothing must be able to find something: each mistake in the world around
//! the machine has to break a promise, in a short story.

use everfresh_search::{
    explore::{Findings, explore},
    setup::{Defect, Setup},
};

/// The first broken promise of a search with this mistake in its world.
fn promise(defect: Defect) -> String {
    let setup = Setup::with("two tabs", defect).expect("there is such a search");
    let needs_a_deed =
        [Defect::LeaseIsKept, Defect::SettlementsAreLost, Defect::SignOutStaysSecret];
    let most_deeds = u8::from(needs_a_deed.contains(&defect));
    first_broken(&Setup { most_deeds, ..setup })
}

fn first_broken(setup: &Setup) -> String {
    let defect = setup.defect;
    let Findings { story, states, .. } = explore(setup, 2);
    let story = story.unwrap_or_else(|| panic!("{defect:?}: nothing found in {states} states"));
    assert!(!story.moves.is_empty() && story.moves.len() == story.lines.len());
    println!("{defect:?}, after {states} states:\n{story}");
    story.promise
}

#[test]
fn a_lock_that_is_granted_twice() {
    let found = promise(Defect::LockGrantedTwice);
    assert_eq!(found, "one refresh at a time while locks work");
}

#[test]
fn a_server_that_forgets_keys() {
    let found = promise(Defect::ServerForgetsKeys);
    assert_eq!(found, "honest tabs are never taken for thieves");
}

#[test]
fn a_server_that_rotates_once_more_for_a_repeated_request() {
    let found = promise(Defect::ServerRotatesAgain);
    assert_eq!(found, "one family advance per rotation key");
}

#[test]
fn storage_that_forgets() {
    let found = promise(Defect::StorageForgets);
    assert_eq!(found, "honest tabs are never taken for thieves");
}

#[test]
fn storage_that_answers_before_it_has_stored() {
    let found = promise(Defect::StorageAnswersEarly);
    assert_eq!(found, "honest tabs are never taken for thieves");
}

#[test]
fn storage_that_replaces_instead_of_joining() {
    let found = promise(Defect::StorageOverwrites);
    assert_eq!(found, "honest tabs are never taken for thieves");
}

#[test]
fn rotation_keys_that_repeat() {
    let found = promise(Defect::KeysRepeat);
    assert_eq!(found, "one family advance per rotation key");
}

#[test]
fn a_lease_that_is_used_on() {
    let found = promise(Defect::LeaseIsKept);
    assert_eq!(found, "no token and no refresh after the end");
}

#[test]
fn timers_that_never_fire() {
    let found = promise(Defect::TimersNeverFire);
    assert_eq!(found, "no deadline is left behind");
}

#[test]
fn callers_that_are_never_told() {
    let found = promise(Defect::SettlementsAreLost);
    assert_eq!(found, "whoever waits has an alarm set for them");
}

#[test]
fn a_proxy_whose_no_sounds_like_the_servers() {
    let found = promise(Defect::ProxySaysNo);
    assert_eq!(found, "no sign-out without a cause, but: revoked");
}

/// Where tokens stay in memory one trouble is enough, and there are fewer states to go through.
#[test]
fn a_late_answer_that_is_given_to_the_next_attempt() {
    let setup = Setup::with("two tabs, tokens in memory", Defect::AnswersAreMixedUp);
    let setup = Setup { most_troubles: 1, ..setup.expect("there is such a search") };
    assert_eq!(first_broken(&setup), "honest tabs are never taken for thieves");
}

#[test]
fn a_sign_out_that_nobody_hears_of() {
    let found = promise(Defect::SignOutStaysSecret);
    assert_eq!(found, "a sign-out is written down");
}
