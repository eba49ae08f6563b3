use proptest::{collection::vec, prelude::*, sample::select};

use everfresh::{
    core::{
        clock::Now,
        ids::Ticket,
        input::{Input, Wake},
        policy::Policy,
        reason::EndReason,
        snapshot::Status,
    },
    engine::endpoint::Response,
};

use crate::rig::{EPOCH, Tab};

fn policy() -> Policy {
    Policy { idle: None, ..Policy::default() }
}

#[test]
fn a_lock_that_is_never_granted_is_not_waited_for() {
    let mut tab = Tab::signed_in(policy());
    tab.grants_locks = false;
    while tab.stats().locks.requested == 0 {
        tab.advance(1.0);
    }
    let waiter = tab.want_token();
    assert!(tab.outcome(waiter).is_some(), "a valid token never waits");
    tab.advance_to_refresh();
    assert_eq!(tab.sent.len(), 1, "sent without the lock after its bounded wait");
    assert_eq!(tab.stats().locks.timed_out, 1);
    tab.answer_granted(300);
    assert_eq!(tab.status(), Status::Active);
}

#[test]
fn a_lock_granted_too_late_is_given_back() {
    let mut tab = Tab::signed_in(policy());
    tab.grants_locks = false;
    tab.advance(260.0);
    tab.locks_held = 1;
    tab.feed(Input::LockGranted(Ticket(9_999)));
    assert_eq!(tab.locks_held, 0);
}

#[test]
fn the_lock_is_held_for_the_refresh_alone() {
    let mut tab = Tab::signed_in(policy());
    tab.advance_to_refresh();
    assert_eq!(tab.locks_held, 1);
    tab.answer_granted(300);
    assert_eq!(tab.locks_held, 0);
    tab.advance_to_refresh();
    tab.answer_status(503, "", "");
    assert_eq!(tab.locks_held, 0);
}

#[test]
fn a_page_that_leaves_lets_go_of_the_lock_and_still_takes_the_answer() {
    let mut tab = Tab::signed_in(policy());
    tab.advance_to_refresh();
    tab.feed(Input::Leaving);
    assert_eq!(tab.locks_held, 0);
    tab.answer_granted(300);
    assert_eq!(tab.snapshot().generation, 2);
}

#[test]
fn a_page_that_stands_still_waits_for_no_lock() {
    // Its timers may have been held back before it stops.
    for late in [0, 16_000, 400_000] {
        let mut tab = Tab::signed_in(Policy { jitter: 0, ..policy() });
        tab.grants_locks = false;
        tab.advance(240.0);
        assert!(tab.ticket.is_some(), "it wants to refresh");
        tab.pass(late);
        tab.feed(Input::Leaving);
        assert_eq!((tab.ticket, tab.count("stale")), (None, 0), "{late} ms late");
        tab.feed(Input::Woken(Wake::Resumed));
        assert!(tab.ticket.is_some(), "it wants to again");
    }
    let mut tab = Tab::signed_in(Policy { jitter: 0, ..policy() });
    tab.grants_locks = false;
    tab.pass(250_000);
    tab.feed(Input::Leaving);
    assert_eq!(tab.ticket, None, "what became due unnoticed is not begun");
    tab.feed(Input::Woken(Wake::Resumed));
    assert!(tab.ticket.is_some());
}

#[test]
fn without_storage_the_session_lives_in_memory_and_says_so_once() {
    let mut tab = Tab::new(policy());
    tab.storage_works = false;
    tab.start(300);
    for _ in 0..3 {
        tab.advance_to_refresh();
        tab.answer_granted(300);
    }
    assert_eq!(tab.status(), Status::Active);
    assert_eq!(tab.count("storage-degraded"), 1);
}

#[test]
fn storage_wiped_by_somebody_else_is_filled_again() {
    type Notice = fn(&mut Tab);
    let notices: [Notice; 3] = [
        Tab::record_changed,
        |tab| tab.feed(Input::Woken(Wake::Resumed)),
        |tab| {
            tab.advance_to_refresh();
            tab.answer_granted(300);
        },
    ];
    for wiped in [None, Some("no record".to_owned())] {
        for notice in notices {
            let mut tab = Tab::signed_in(policy());
            tab.store.borrow_mut().clone_from(&wiped);
            notice(&mut tab);
            let text = tab.store.borrow().clone().expect("a record");
            assert!(text.contains("refresh-1") || text.contains("refresh-2"), "{wiped:?}");
        }
    }
}

#[test]
fn what_could_not_be_stored_is_stored_when_it_can_be() {
    type Later = fn(&mut Tab);
    let later: [Later; 2] = [|tab| tab.feed(Input::Woken(Wake::Visible)), |tab| tab.advance(30.0)];
    for later in later {
        let mut tab = Tab::new(policy());
        tab.storage_works = false;
        tab.start(3_600);
        tab.storage_works = true;
        assert_eq!(*tab.store.borrow(), None);
        later(&mut tab);
        assert!(tab.store.borrow().as_ref().is_some_and(|text| text.contains("refresh-1")));
        let writes = tab.stats().storage.writes;
        tab.advance(300.0);
        assert_eq!(tab.stats().storage.writes, writes, "once is enough");
    }
}

#[test]
fn a_sign_out_that_could_not_be_stored_is_stored_when_it_can_be() {
    let mut tab = Tab::signed_in(policy());
    tab.storage_works = false;
    tab.sign_out();
    tab.storage_works = true;
    tab.advance(30.0);
    let mut page = Tab::with_store(policy(), 2, tab.store.clone());
    page.now = tab.now;
    page.restore();
    assert_eq!(page.ended(), Some(EndReason::SignedOut));
}

#[test]
fn new_tokens_are_stored_before_they_are_announced() {
    let mut tab = Tab::signed_in(policy());
    tab.advance_to_refresh();
    tab.said.clear();
    tab.slow_storage = true;
    tab.answer_granted(300);
    assert_eq!((tab.said.len(), tab.locks_held), (0, 1));
    tab.answer_load(0);
    assert_eq!((tab.said.len(), tab.locks_held), (0, 1));
    tab.answer_store();
    assert_eq!((tab.said.len(), tab.locks_held), (1, 0));
}

#[test]
fn storage_that_worked_again_and_fails_is_told_of_again() {
    let mut tab = Tab::signed_in(policy());
    for works in [false, true, false] {
        tab.storage_works = works;
        tab.advance_to_refresh();
        tab.answer_granted(300);
    }
    assert_eq!(tab.count("storage-degraded"), 2);
}

/// Two tabs, and the first is storing its rotation key, slowly, with the lock in its hands. The
/// second's clock is a little behind: its key counts as the earlier one.
fn storing() -> (Tab, Tab) {
    let mut one = Tab::signed_in(policy());
    let behind = Now { wall: EPOCH - 100, ..one.now };
    let two = Tab::open(policy(), 2, one.store.clone(), behind);
    one.slow_storage = true;
    one.want_refresh();
    one.answer_load(0);
    (one, two)
}

#[test]
fn what_is_heard_while_the_key_is_stored_holds_the_refresh_back() {
    let (mut one, mut two) = storing();
    two.restore();
    two.want_refresh();
    two.answer(Some(Response {
        status: 503,
        headers: vec![("retry-after".to_owned(), "60".to_owned())],
        ..Response::default()
    }));
    for said in two.said.drain(..) {
        one.hear(&said);
    }
    one.slow_storage = false;
    while !one.loads.is_empty() {
        one.answer_load(0);
    }
    while !one.stores.is_empty() {
        one.answer_store();
    }
    assert_eq!((one.requests.len(), one.locks_held), (0, 0));
    one.advance(59.0);
    assert_eq!(one.requests.len(), 0, "the server asked for a minute");
}

#[test]
fn no_key_is_sent_that_was_not_stored() {
    let (mut one, mut two) = storing();
    two.restore();
    two.want_refresh();
    let key = two.requests[0].1.rotation_key.clone();
    let before = one.store.borrow().clone();
    for said in two.said.drain(..) {
        one.hear(&said);
    }
    // Storage goes on as if it had not seen the other's write.
    *one.store.borrow_mut() = before;
    one.answer_write(0);
    assert_eq!(one.requests.len(), 0, "the earlier key is not stored yet");
    one.slow_storage = false;
    while !one.loads.is_empty() {
        one.answer_load(0);
    }
    while !one.stores.is_empty() {
        one.answer_store();
    }
    assert_eq!(one.requests[0].1.rotation_key, key);
}

/// Lines of a record that hold numbers.
const NUMBERS: usize = 58;

proptest! {
    #[test]
    fn numbers_at_their_limits_overflow_nothing(
        changes in vec((1..=NUMBERS, select(vec![-(1 << 60), -1, 0, 1, u32::MAX.into(), 1_i64 << 60])), 1..6),
    ) {
        let tab = Tab::signed_in(Policy::default());
        let text = tab.store.borrow().clone().unwrap();
        let mut lines: Vec<_> = text.split('\n').map(str::to_owned).collect();
        for (line, number) in changes {
            lines[line] = number.to_string();
        }
        *tab.store.borrow_mut() = Some(lines.join("\n"));
        let mut next = Tab::with_store(Policy::default(), 7, tab.store.clone());
        for _ in 0..3 {
            next.restore();
            next.advance(1.0);
            next.want_refresh();
            next.advance(1.0);
            if !next.sent.is_empty() {
                next.answer_status(503, "", "");
            }
            next.advance(5.0);
        }
        next.start(300);
        next.sign_out();
    }
}
