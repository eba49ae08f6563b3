use everfresh::{
    core::{
        effect::Outcome,
        error::Error,
        ids::{LeaseId, Ticket},
        input::Input,
        policy::{Credential, Policy},
        reason::EndReason,
        snapshot::Status,
    },
    engine::records::Storage,
};

use crate::{
    rig::{Store, Tab},
    wire::{UNREACHABLE, granted},
};

fn refreshing() -> Tab {
    let mut tab = Tab::signed_in(Policy { idle: None, ..Policy::default() });
    tab.advance_to_refresh();
    tab
}

#[test]
fn over_a_refresh_in_flight() {
    let mut tab = refreshing();
    let (attempt, _) = tab.sent[0].clone();
    let waiter = tab.sign_out();
    assert_eq!(tab.aborted, [attempt]);
    assert!(tab.lease.is_none() && tab.locks_held == 0);
    let tokens = tab.tokens(300);
    tab.answer_to(attempt, granted(&tokens));
    assert_eq!(tab.ended(), Some(EndReason::SignedOut));
    assert_eq!(tab.stats().outcomes.discarded, 2, "the attempt, and its late answer");
    assert!(!tab.store.borrow().as_ref().unwrap().contains("refresh-"), "no token in storage");
    assert_eq!(tab.outcome(waiter), None, "the server is told first");
    let revoke = tab.revokes[0];
    tab.answer_revoke(revoke, 200);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
}

#[test]
fn without_a_network_and_the_server_hears_later() {
    let mut tab = Tab::signed_in(Policy::default());
    let waiter = tab.sign_out();
    assert_eq!(tab.status(), Status::SignedOut, "locally it never fails");
    let revoke = tab.revokes[0];
    tab.answer_revoke(revoke, 503);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!(tab.count("revoke-failed"), 1);
    tab.advance(2.0);
    assert_eq!(tab.revokes.len(), 2);
}

#[test]
fn and_waits_for_the_newest_revocation_whatever_became_of_older_ones() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.sign_out();
    tab.start(300);
    tab.sign_out();
    let (older, newest) = (tab.revokes[0], tab.revokes[1]);
    tab.answer_revoke(older, 503);
    let again = tab.sign_out();
    assert_eq!(tab.outcome(again), None, "the newest has no answer yet");
    tab.answer_revoke(newest, 200);
    assert_eq!(tab.outcome(again), Some(&Outcome::Done));
}

#[test]
fn a_short_wait_for_tokens_does_not_cut_the_wait_for_the_server_short() {
    let mut tab = Tab::signed_in(Policy { wait: Some(1_000), ..Policy::default() });
    let waiter = tab.sign_out();
    tab.advance(9.0);
    assert_eq!(tab.outcome(waiter), None, "the server has not answered");
    let revoke = tab.revokes[0];
    tab.answer_revoke(revoke, 200);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
}

#[test]
fn a_server_that_never_answers_does_not_hold_it_up() {
    let mut tab = Tab::signed_in(Policy::default());
    let waiter = tab.sign_out();
    tab.advance(10.1);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
}

#[test]
fn before_the_session_was_even_looked_for() {
    let first = Tab::signed_in(Policy::default());
    let mut tab = Tab::with_store(Policy::default(), 2, first.store.clone());
    tab.now = first.now;
    tab.sign_out();
    assert_eq!(tab.ended(), Some(EndReason::SignedOut));
    assert_eq!(tab.revokes.len(), 1);
    assert_eq!(tab.count("started"), 0);
}

#[test]
fn cancel_leaves_no_token_and_no_timer_and_says_nothing_to_anybody() {
    let mut tab = refreshing();
    tab.said.clear();
    tab.feed(Input::Cancel(None));
    assert_eq!(tab.ended(), Some(EndReason::Cancelled));
    assert_eq!(tab.deadline(), None);
    assert!(tab.lease.is_none() && tab.said.is_empty() && tab.revokes.is_empty());
    assert_eq!(tab.aborted.len(), 1);
}

#[test]
fn a_page_load_after_it_knows_why() {
    let mut first = Tab::signed_in(Policy::default());
    first.sign_out();
    let mut tab = Tab::with_store(Policy::default(), 2, first.store.clone());
    tab.restore();
    assert_eq!(tab.ended(), Some(EndReason::SignedOut));
    assert_eq!(tab.count("signed-out"), 0, "it is no news");
}

#[test]
fn a_cookie_that_the_server_still_honours_does_not_undo_it() {
    let policy = Policy { credential: Credential::Cookie, ..Policy::default() };
    let mut first = Tab::signed_in(policy.clone());
    first.sign_out();
    let mut tab = Tab::with_store(policy.clone(), 2, first.store.clone());
    tab.restore();
    assert_eq!(tab.ended(), Some(EndReason::SignedOut));
    assert_eq!((tab.requests.len(), tab.revokes.len()), (0, 1), "revoked again, not refreshed");
    let revoke = tab.revokes[0];
    tab.answer_revoke(revoke, 200);

    let mut later = Tab::with_store(policy, 3, first.store.clone());
    later.restore();
    assert_eq!(later.requests.len(), 1, "once the server knows, a new sign-in may be found");
}

#[test]
fn a_cookie_that_the_server_still_honours_does_not_undo_it_where_another_tab_has_to_say_so() {
    let policy = Policy { credential: Credential::Cookie, ..Policy::default() };
    let mut first = Tab::signed_in(policy.clone());
    first.sign_out();
    let news = first.said.pop_back().expect("it says so");
    let mut tab = Tab::with_store(policy, 2, Store::default());
    tab.storage_works = false;
    tab.restore();
    tab.hear(&news);
    tab.advance(0.2);
    assert_eq!(tab.ended(), Some(EndReason::SignedOut));
    assert_eq!((tab.requests.len(), tab.revokes.len()), (0, 1), "revoked again, not refreshed");
}

#[test]
fn nor_where_that_tab_says_so_while_the_server_is_asked() {
    let policy = Policy { credential: Credential::Cookie, ..Policy::default() };
    for the_server_knows in [false, true] {
        let mut first = Tab::signed_in(policy.clone());
        first.sign_out();
        if the_server_knows {
            first.answer_revoke(first.revokes[0], 200);
        }
        let news = first.store.borrow().clone().expect("the end is stored as it is told");
        let mut tab = Tab::with_store(policy.clone(), 2, Store::default());
        tab.storage_works = false;
        tab.restore();
        tab.advance(0.2);
        assert_eq!(tab.requests.len(), 1);
        tab.hear(&news);
        let ended = (!the_server_knows).then_some(EndReason::SignedOut);
        assert_eq!(tab.ended(), ended, "once the server knows, the cookie may be another one");
        assert_eq!((tab.aborted.len(), tab.events.len()), (usize::from(!the_server_knows), 1));
        if the_server_knows {
            tab.answer_granted(300);
            assert_eq!(tab.status(), Status::Active);
        }
    }
}

#[test]
fn a_page_load_without_storage_hears_of_it_from_the_tab_that_cannot_reach_the_server() {
    let policy = Policy { credential: Credential::Cookie, ..Policy::default() };
    for the_server_knows in [false, true] {
        let mut first = Tab::new(policy.clone());
        first.storage_works = false;
        first.start(300);
        first.sign_out();
        if the_server_knows {
            first.answer_revoke(first.revokes[0], 200);
        }
        first.said.clear();
        let mut tab = Tab::with_store(policy.clone(), 2, Store::default());
        tab.storage_works = false;
        tab.restore();
        first.hear(&tab.said.pop_back().expect("a question"));
        assert_eq!(first.said.len(), usize::from(!the_server_knows));
        if let Some(answer) = first.said.pop_back() {
            tab.hear(&answer);
        }
        tab.advance(0.2);
        assert_eq!(tab.ended(), (!the_server_knows).then_some(EndReason::SignedOut));
        assert_eq!(tab.requests.len(), usize::from(the_server_knows));
    }
}

#[test]
fn a_tab_that_knows_of_it_and_one_that_knows_a_later_sign_in_do_not_talk_for_ever() {
    let mut first = Tab::signed_in(Policy::default());
    first.sign_out();
    first.said.clear();
    let mut gone = Tab::with_store(Policy::default(), 2, first.store.clone());
    gone.keep_tokens(Storage::Memory);
    gone.pass(1);
    let tokens = gone.tokens_for("ben", 300);
    gone.start_with(tokens);
    let mut tab = Tab::with_store(Policy::default(), 3, first.store.clone());
    tab.keep_tokens(Storage::Memory);
    tab.pass(2);
    tab.restore();
    tab.advance(0.6);
    assert_eq!(tab.status(), Status::SignedOut, "no tab has the tokens");
    let mut heard = 0;
    while let Some(question) = tab.said.pop_front() {
        first.hear(&question);
        for answer in first.said.drain(..).collect::<Vec<_>>() {
            tab.hear(&answer);
        }
        heard += 1;
        assert!(heard < 10, "they do");
    }
}

#[test]
fn the_page_of_one_user_does_not_sign_the_next_one_out() {
    let mut tab = Tab::signed_in(Policy::default());
    let mut other = Tab::with_store(Policy::default(), 2, tab.store.clone());
    other.pass(1);
    let tokens = other.tokens_for("ben", 300);
    other.start_with(tokens);
    tab.pass(1);
    tab.hear(&other.said.pop_back().unwrap());
    assert_eq!(tab.ended(), Some(EndReason::SubjectChanged));
    let waiter = tab.sign_out();
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert!(tab.revokes.is_empty());
}

#[test]
fn a_tab_that_only_hears_of_it_drops_its_own_copy_of_the_tokens() {
    let mut tab = Tab::new(Policy::default());
    tab.keep_tokens(Storage::Session);
    tab.start(300);
    let mut other = Tab::with_store(Policy::default(), 2, tab.store.clone());
    other.restore();
    other.hear(&tab.said.pop_back().expect("the tokens"));
    other.sign_out();
    let stored = |tab: &Tab| tab.own.as_ref().is_some_and(|text| text.contains("refresh-1"));
    assert!(stored(&tab));
    tab.hear(&other.said.pop_back().unwrap());
    assert_eq!((tab.ended(), stored(&tab)), (Some(EndReason::SignedOut), false));
}

#[test]
fn what_comes_after_dispose_is_refused_and_changes_nothing() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.feed(Input::Dispose);
    for waiter in [tab.restore(), tab.sign_out(), tab.want_refresh(), tab.want_token()] {
        assert_eq!(tab.failed_with(waiter), Some(Error::Disposed));
    }
    let resend = tab.unauthorized(LeaseId(1));
    assert_eq!(tab.outcome(resend), Some(&Outcome::Original));
    tab.start(300);
    assert_eq!((tab.status(), tab.lease.is_none()), (Status::Unknown, true));
    assert_eq!((tab.requests.len(), tab.revokes.len()), (0, 0));
}

#[test]
fn over_a_cookie_that_the_server_has_not_confirmed_yet() {
    for (credential, revokes) in [(Credential::Cookie, 1), (Credential::RefreshToken, 0)] {
        let mut tab = Tab::new(Policy { credential, ..Policy::default() });
        tab.restore();
        if !tab.sent.is_empty() {
            tab.answer(UNREACHABLE);
        }
        tab.sign_out();
        assert_eq!((tab.status(), tab.revokes.len()), (Status::SignedOut, revokes));
    }
}

#[test]
fn a_revocation_is_tried_again_after_longer_and_longer_waits_and_at_once_when_the_network_comes() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.sign_out();
    let mut longest = 0;
    for _ in 0..9 {
        let revoke = *tab.revokes.last().expect("a revocation");
        let tried = tab.revokes.len();
        tab.answer_revoke(revoke, 503);
        let wait = tab.wait().unwrap_or_default();
        longest = longest.max(wait);
        tab.feed(Input::Online(false));
        tab.feed(Input::Online(true));
        assert_eq!(tab.revokes.len(), tried + 1);
    }
    assert!(longest > 20_000, "{longest} ms");
    tab.feed(Input::Online(false));
    assert!(tab.deadline().is_some(), "the one under way is not waited for in vain");
    let tried = tab.revokes.len();
    tab.answer_revoke(*tab.revokes.last().expect("a revocation"), 503);
    assert_eq!(tab.wait(), Some(60_000), "without a network, says a hint, after the longest wait");
    tab.advance(60.0);
    assert_eq!(tab.revokes.len(), tried + 1);
}

#[test]
fn once_more_is_no_second_revocation() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.sign_out();
    let reads = tab.stats().storage.reads;
    let again = tab.sign_out();
    assert_eq!((tab.revokes.len(), tab.stats().storage.reads), (1, reads));
    let revoke = tab.revokes[0];
    tab.answer_revoke(revoke, 200);
    assert_eq!(tab.outcome(again), Some(&Outcome::Done));
}

#[test]
fn everywhere_stays_everywhere_when_it_is_asked_for_again() {
    for order in [[true, false], [false, true]] {
        let first = Tab::signed_in(Policy::default());
        let mut tab = Tab::with_store(Policy::default(), 2, first.store.clone());
        tab.slow_storage = true;
        for everywhere in order {
            tab.sign_out_from(everywhere);
        }
        tab.slow_storage = false;
        tab.answer_load(0);
        assert_eq!(tab.everywhere, [true], "{order:?}");
    }
}

#[test]
fn a_page_that_was_cancelled_still_signs_out_what_storage_has() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.feed(Input::Cancel(None));
    tab.sign_out();
    assert_eq!((tab.ended(), tab.revokes.len()), (Some(EndReason::SignedOut), 1));
}

#[test]
fn a_sign_out_that_finds_nothing_keeps_the_reason_of_the_last_end() {
    let mut tab = Tab::signed_in(Policy::default());
    let tokens = tab.tokens_for("ben", 300);
    tab.unauthorized(tab.lease_id());
    tab.answer_status(400, "invalid_grant", "reuse_detected");
    *tab.store.borrow_mut() = None;
    let waiter = tab.sign_out();
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!(tab.ended(), Some(EndReason::Reuse));
    tab.start_with(tokens);
    assert_eq!(tab.status(), Status::Active);
    let mut tab = Tab::new(Policy::default());
    tab.feed(Input::StartFailed(Error::Json));
    tab.sign_out();
    assert_eq!(tab.ended(), Some(EndReason::InvalidToken));
}

#[test]
fn a_lock_that_comes_after_dispose_is_let_go() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.feed(Input::Dispose);
    tab.locks_held = 1;
    tab.feed(Input::LockGranted(Ticket(9)));
    assert_eq!(tab.locks_held, 0);
}
