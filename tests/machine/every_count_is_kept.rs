//! `stats()` is what users and tests look at: each number moves by one when its thing happens.

use everfresh::core::{policy::Policy, stats::Stats};

use crate::{
    rig::Tab,
    wire::{UNREACHABLE, granted},
};

fn policy() -> Policy {
    Policy { jitter: 0, idle: None, ..Policy::default() }
}

/// Does it twice, so that no number can be right by being one.
fn twice(tab: &mut Tab, mut act: impl FnMut(&mut Tab)) -> Stats {
    act(tab);
    act(tab);
    tab.stats().clone()
}

#[test]
fn of_refreshes_that_go_well() {
    let mut tab = Tab::signed_in(policy());
    let stats = twice(&mut tab, |tab| {
        tab.want_refresh();
        tab.answer_granted(300);
    });
    assert_eq!((stats.outcomes.committed, stats.refreshes.explicit), (2, 2));
    assert_eq!((stats.locks.requested, stats.locks.granted, stats.locks.timed_out), (2, 2, 0));
    // The sign-in, and for each refresh the look, the key and the tokens.
    assert_eq!((stats.storage.reads, stats.storage.writes, stats.storage.failures), (2, 5, 0));
}

#[test]
fn of_refreshes_that_fail_and_answers_that_come_too_late() {
    let mut tab = Tab::signed_in(policy());
    let stats = twice(&mut tab, |tab| {
        tab.want_refresh();
        let (attempt, _) = tab.sent[0];
        tab.advance(10.0);
        tab.answer_to(attempt, UNREACHABLE);
    });
    assert_eq!((stats.outcomes.transient, stats.outcomes.discarded), (2, 2));
}

#[test]
fn of_locks_that_nobody_grants() {
    let mut tab = Tab::signed_in(policy());
    tab.grants_locks = false;
    let stats = twice(&mut tab, |tab| {
        tab.want_refresh();
        tab.advance(15.5);
        tab.answer_granted(300);
    });
    assert_eq!((stats.locks.requested, stats.locks.granted, stats.locks.timed_out), (2, 0, 2));
}

#[test]
fn of_ends_by_the_servers_word() {
    let mut tab = Tab::new(policy());
    let stats = twice(&mut tab, |tab| {
        tab.start(300);
        tab.want_refresh();
        tab.answer_status(400, "invalid_grant", "");
    });
    assert_eq!(stats.outcomes.r#final, 2);
    let stats = twice(&mut tab, |tab| {
        tab.start(300);
        tab.want_refresh();
        let tokens = tab.tokens_for("ben", 300);
        tab.answer(granted(&tokens));
    });
    assert_eq!(stats.outcomes.r#final, 4, "somebody else's tokens are no better");
}

#[test]
fn of_refreshes_that_another_tab_made_and_of_those_that_a_sign_in_cut_short() {
    let mut tab = Tab::signed_in(policy());
    let mut other = Tab::with_store(policy(), 2, tab.store.clone());
    other.restore();
    tab.grants_locks = false;
    let stats = twice(&mut tab, |tab| {
        tab.want_refresh();
        other.want_refresh();
        other.answer_granted(300);
        tab.hear(&other.said.pop_back().expect("the tokens"));
    });
    assert_eq!((stats.outcomes.adopted, stats.outcomes.committed), (2, 0));
    tab.grants_locks = true;
    let stats = twice(&mut tab, |tab| {
        tab.want_refresh();
        tab.start(600);
    });
    assert_eq!(stats.outcomes.discarded, 2);
}
