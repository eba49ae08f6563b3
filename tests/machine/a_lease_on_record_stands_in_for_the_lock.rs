//! Where there is no lock, the newest send on record is another tab's attempt for as long as an
//! attempt can take, and half a second more.

use everfresh::core::{clock::Now, input::Input, policy::Policy};

use crate::{
    rig::{EPOCH, Tab},
    wire::UNREACHABLE,
};

/// The longest attempt and the slack, in milliseconds.
const LEASE: i64 = 10_500;

fn policy() -> Policy {
    Policy { jitter: 0, idle: None, ..Policy::default() }
}

/// Asks for a refresh; nobody can have the lock.
fn wants(tab: &mut Tab) {
    tab.grants_locks = false;
    tab.want_refresh();
    unlocked(tab);
}

fn unlocked(tab: &mut Tab) {
    if let Some(ticket) = tab.ticket.take() {
        tab.feed(Input::LockUnavailable(ticket));
    }
}

/// Lets time pass, in a place where there are no locks.
fn pass(tab: &mut Tab, millis: i64) {
    let end = tab.now.monotonic + millis;
    while tab.now.monotonic < end {
        let wait = tab.wait().unwrap_or(millis);
        tab.pass(wait.min(end - tab.now.monotonic));
        tab.feed(Input::TimerFired);
        unlocked(tab);
    }
}

/// Two tabs of one user, with one store.
fn signed_in() -> (Tab, Tab) {
    let one = Tab::signed_in(policy());
    let mut two = Tab::with_store(policy(), 2, one.store.clone());
    two.restore();
    (one, two)
}

/// The same; the first put its key on record just now.
fn two() -> (Tab, Tab) {
    let (mut one, two) = signed_in();
    wants(&mut one);
    (one, two)
}

#[test]
fn the_other_waits_for_it_to_the_millisecond_and_repeats_its_rotation() {
    let (mut one, mut two) = two();
    pass(&mut one, 500);
    assert_eq!(one.requests.len(), 1);
    wants(&mut two);
    pass(&mut two, LEASE - 1);
    assert_eq!((two.requests.len(), two.stats().storage.writes), (0, 0));
    pass(&mut two, 1);
    assert_eq!(two.stats().storage.writes, 1, "its turn has come");
    pass(&mut two, 500);
    assert_eq!(two.requests[0].1.rotation_key, one.requests[0].1.rotation_key);
}

#[test]
fn a_clock_that_lags_a_second_makes_no_difference_and_more_is_another_time() {
    for (lag, writes) in [(0, 0), (1_000, 0), (1_001, 1)] {
        let (one, _) = two();
        // It has been behind since it was opened.
        let now = Now { wall: EPOCH - lag, ..one.now };
        let mut two = Tab::open(policy(), 2, one.store.clone(), now);
        two.restore();
        wants(&mut two);
        assert_eq!(two.stats().storage.writes, writes, "{lag} ms");
    }
}

#[test]
fn an_attempt_of_its_own_holds_nobody_up() {
    let (mut one, _) = two();
    pass(&mut one, 500);
    one.answer(UNREACHABLE);
    wants(&mut one);
    pass(&mut one, 500);
    assert_eq!(one.requests.len(), 2);
}

#[test]
fn a_key_lies_a_quarter_of_a_second_before_it_is_used() {
    let (mut one, _) = two();
    pass(&mut one, 249);
    assert_eq!(one.requests.len(), 0);
    pass(&mut one, 251);
    assert_eq!(one.requests.len(), 1);
}

#[test]
fn a_key_that_lost_is_not_used_and_the_winner_has_its_lease() {
    let (mut one, mut two) = signed_in();
    two.pass(1);
    // Neither sees the other's key before its own is written.
    for tab in [&mut one, &mut two] {
        tab.slow_storage = true;
        wants(tab);
        tab.answer_load(0);
        assert_eq!(tab.loads.len(), 1, "the look before its write");
    }
    one.answer_write(0);
    two.answer_write(0);
    one.slow_storage = false;
    two.slow_storage = false;
    pass(&mut one, 500);
    pass(&mut two, 500);
    assert_eq!((one.requests.len(), two.requests.len()), (1, 0));
    // The winner's lease began a millisecond before.
    pass(&mut two, LEASE - 1 - 501);
    assert_eq!((two.requests.len(), two.stats().storage.writes), (0, 1));
    pass(&mut two, 501);
    assert_eq!(two.requests[0].1.rotation_key, one.requests[0].1.rotation_key);
}

#[test]
fn a_key_that_another_tab_stores_over_is_stored_again() {
    let (mut one, mut two) = signed_in();
    two.pass(1);
    // Each looks before the other writes, and what the first one said is lost.
    for tab in [&mut one, &mut two] {
        tab.slow_storage = true;
        tab.said.clear();
        wants(tab);
        tab.answer_load(0);
        tab.answer_load(0);
    }
    one.answer_store();
    two.answer_store();
    one.slow_storage = false;
    two.slow_storage = false;
    let told = two.said.pop_front().expect("its key");
    one.hear(&told);
    pass(&mut two, 501);
    pass(&mut one, 501);
    assert_eq!((one.requests.len(), two.requests.len()), (1, 0));
}

#[test]
fn a_page_that_is_loaded_while_a_key_is_being_stored_is_told_of_it() {
    let mut one = Tab::signed_in(policy());
    one.slow_storage = true;
    wants(&mut one);
    one.answer_load(0);
    one.said.clear();
    let mut page = Tab::with_store(policy(), 2, one.store.clone());
    page.restore();
    page.pass(1);
    wants(&mut page);
    // Storage answers neither of them.
    page.slow_storage = true;
    one.hear(&page.said.pop_front().expect("its key"));
    pass(&mut one, 2_001);
    page.hear(&one.said.pop_front().expect("the key that was made before"));
    pass(&mut one, 2_500);
    pass(&mut page, 4_501);
    assert_eq!((one.requests.len(), page.requests.len()), (1, 0));
}

#[test]
fn of_tabs_that_repeat_a_rotation_at_once_the_last_on_record_sends() {
    let (mut one, mut two) = two();
    pass(&mut one, 500);
    one.answer(UNREACHABLE);
    one.pass(LEASE);
    two.now = one.now;
    two.pass(1);
    // Neither sees the other's attempt before its own is on record.
    for tab in [&mut one, &mut two] {
        tab.slow_storage = true;
        wants(tab);
        tab.answer_load(0);
    }
    one.answer_write(0);
    two.answer_write(0);
    one.slow_storage = false;
    two.slow_storage = false;
    pass(&mut two, 500);
    pass(&mut one, 501);
    assert_eq!((one.requests.len(), two.requests.len()), (1, 1));
    assert_eq!(two.requests[0].1.rotation_key, one.requests[0].1.rotation_key);
}

#[test]
fn a_hidden_page_that_made_the_key_and_could_not_send_lets_another_tab_send() {
    let (mut one, mut two) = two();
    // The timer of the first, a quarter of a second after its key, fires a minute later.
    two.pass(2 * LEASE);
    one.now = two.now;
    for said in one.said.drain(..) {
        two.hear(&said);
    }
    wants(&mut two);
    for _ in 0..3 {
        for said in two.said.drain(..).collect::<Vec<_>>() {
            one.hear(&said);
        }
        for said in one.said.drain(..).collect::<Vec<_>>() {
            two.hear(&said);
        }
    }
    pass(&mut two, 501);
    assert_eq!((one.requests.len(), two.requests.len()), (0, 1));
}
