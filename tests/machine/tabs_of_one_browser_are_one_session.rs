use std::cell::RefCell;

use everfresh::{
    core::{
        clock::Now,
        ids::LeaseId,
        input::{Input, Wake},
        policy::{IdleMode, Policy},
        reason::EndReason,
        snapshot::Status,
    },
    engine::records::Storage,
};

use crate::{
    browser::Browser,
    rig::{Store, Tab},
    wire::{refusal, retry_after},
};

/// No jitter: every timer of every tab fires in the same millisecond.
fn policy() -> Policy {
    Policy { jitter: 0, idle: None, ..Policy::default() }
}

#[test]
fn timers_that_fire_together_make_one_refresh() {
    let mut browser = Browser::new(3, &policy());
    browser.advance(245.0);
    assert_eq!((browser.refreshes, browser.rotations), (1, 1));
    assert_eq!(browser.generations(), [2, 2, 2]);
    assert_eq!(browser.count("refreshed"), [1, 1, 1]);
    assert_eq!(browser.count("signed-out"), [0, 0, 0]);
}

#[test]
fn an_hour_of_five_tabs_costs_one_refresh_per_lifetime() {
    let mut browser = Browser::new(5, &policy());
    browser.advance(3_600.0);
    assert_eq!(browser.refreshes, 15, "every 240 seconds");
    assert_eq!(browser.rotations, 15);
}

#[test]
fn without_locks_they_settle_on_one_key() {
    for tabs in 2..=4 {
        let mut browser = Browser::new(tabs, &policy());
        browser.online = false;
        // Nobody grants a lock: each gives up waiting for it at the same moment.
        for tab in &mut browser.tabs {
            tab.pass(240_000);
            tab.feed(Input::TimerFired);
            let ticket = tab.ticket.take().expect("a lock was asked for");
            tab.feed(Input::LockUnavailable(ticket));
        }
        browser.settle();
        for _ in 0..20 {
            browser.advance(1.0);
            for tab in 0..tabs {
                if let Some(ticket) = browser.tabs[tab].ticket.take() {
                    browser.feed(tab, Input::LockUnavailable(ticket));
                }
            }
            browser.online = true;
            browser.settle();
        }
        assert!(!browser.reuse, "two keys for one rotation, {tabs} tabs");
        assert_eq!(browser.rotations, 1, "{tabs} tabs");
        assert_eq!(browser.generations(), vec![2; tabs]);
    }
}

#[test]
fn they_count_together_how_often_the_server_said_that_another_was_faster() {
    for tabs in [1, 2, 5] {
        for trouble in [false, true] {
            let mut browser = Browser::new(tabs, &policy());
            browser.proxy = refusal(400, "invalid_grant", "superseded");
            browser.advance(241.0);
            let sent = |browser: &Browser| {
                browser.tabs.iter().map(|tab| tab.requests.len()).sum::<usize>()
            };
            let mut other = 0;
            if trouble {
                // What a proxy says in between is about something else.
                let before = sent(&browser);
                browser.proxy = refusal(503, "", "");
                while sent(&browser) == before {
                    browser.advance(0.1);
                }
                other = sent(&browser) - before;
                browser.proxy = refusal(400, "invalid_grant", "superseded");
            }
            browser.advance(58.0);
            assert_eq!(sent(&browser), 3 + other, "{tabs} tabs");
            assert_eq!(browser.ends(), vec![Some(EndReason::Revoked); tabs]);
        }
    }
}

/// Two tabs whose processes see late what the other stored: one has its answer, and the other gets
/// the lock before the news. Returns the latter.
fn locked_before_the_news(browser: &mut Browser) -> usize {
    browser.online = false;
    browser.advance(240.0);
    let fast = (0..2).find(|tab| !browser.tabs[*tab].sent.is_empty()).expect("one of them sends");
    let late = 1 - fast;
    let seen = browser.tabs[late].store.borrow().clone();
    browser.tabs[late].store = Store::new(RefCell::new(seen));
    let (_, answer) = browser.lose_answer(fast);
    browser.tabs[fast].answer(answer);
    let ticket = browser.tabs[late].ticket.expect("the other waits for the lock");
    browser.tabs[late].feed(Input::LockGranted(ticket));
    late
}

#[test]
fn whoever_gets_the_lock_waits_for_news_that_is_on_its_way() {
    let mut browser = Browser::new(2, &policy());
    let late = locked_before_the_news(&mut browser);
    assert!(browser.tabs[late].sent.is_empty(), "another tab sent it just now");
    browser.online = true;
    browser.advance(1.0);
    assert_eq!(browser.generations(), [2, 2]);
    assert_eq!((browser.refreshes, browser.rotations), (1, 1));
}

#[test]
fn and_repeats_the_request_if_none_comes() {
    let mut browser = Browser::new(2, &policy());
    let late = locked_before_the_news(&mut browser);
    browser.close(1 - late);
    browser.tabs[1 - late].said.clear();
    browser.tabs[late].advance(0.249);
    assert!(browser.tabs[late].sent.is_empty());
    browser.tabs[late].advance(0.001);
    assert_eq!(browser.tabs[late].sent.len(), 1);
    browser.online = true;
    browser.settle();
    assert_eq!(browser.generations()[late], 2);
    assert_eq!((browser.refreshes, browser.rotations), (2, 1), "with the key of the first");
}

#[test]
fn a_verdict_about_an_old_token_ends_nothing_and_clears_nothing() {
    let mut browser = Browser::new(2, &policy());
    browser.online = false;
    browser.advance(240.0);
    let slow = (0..2).find(|tab| !browser.tabs[*tab].sent.is_empty()).expect("one of them sends");
    let fast = 1 - slow;
    // The slow one's page leaves, which frees the lock; the other refreshes meanwhile.
    let (attempt, _) = browser.tabs[slow].sent.pop_front().expect("it was sent");
    browser.feed(slow, Input::Leaving);
    browser.frozen[slow] = true;
    browser.online = true;
    browser.advance(0.25);
    assert_eq!(browser.generations()[fast], 2);
    let stored = browser.tabs[fast].store.borrow().clone();
    browser.frozen[slow] = false;
    browser.act(slow, |tab| tab.answer_to(attempt, refusal(400, "invalid_grant", "")));
    assert_eq!(browser.ends(), [None, None]);
    assert_eq!(browser.generations(), [2, 2], "the other tab's tokens are taken over");
    let before = found_by_a_page_load(stored, browser.tabs[fast].now);
    let after = found_by_a_page_load(browser.tabs[fast].store.take(), browser.tabs[fast].now);
    assert_eq!(before.0, 2);
    assert_eq!(before.1, browser.tabs[fast].access_token());
    assert_eq!(after, before, "nothing was cleared");
}

/// The generation, the access token and the refresh token that lie in storage.
fn found_by_a_page_load(stored: Option<String>, now: Now) -> (i64, Option<String>, Option<String>) {
    let mut page = Tab::with_store(policy(), 9, Store::new(RefCell::new(stored)));
    page.now = now;
    page.restore();
    let (generation, access_token) = (page.snapshot().generation, page.access_token());
    page.want_refresh();
    let (_, request) = page.sent.pop_front().expect("it asks with what it has found");
    (generation, access_token, request.refresh_token)
}

#[test]
fn input_in_one_of_seven_keeps_all_and_its_end_ends_all_at_once() {
    let policy = Policy { idle: Some(1_800_000), idle_mode: IdleMode::End, ..policy() };
    let mut browser = Browser::new(7, &policy);
    for _ in 0..120 {
        browser.advance(60.0);
        browser.feed(0, Input::Activity);
        browser.settle();
    }
    assert_eq!(browser.ends(), vec![None; 7], "two hours of input in the first one");
    browser.advance(1_795.0);
    assert_eq!(browser.ends(), vec![None; 7]);
    browser.advance(10.0);
    assert_eq!(browser.ends(), vec![Some(EndReason::Idle); 7]);
    assert_eq!(browser.count("signed-out"), vec![1; 7]);
}

#[test]
fn a_pause_that_the_server_asks_for_holds_in_every_tab() {
    let mut browser = Browser::new(3, &policy());
    browser.proxy = retry_after(429, 20);
    browser.advance(240.0);
    let sent = |browser: &Browser| browser.tabs.iter().map(|tab| tab.requests.len()).sum::<usize>();
    assert_eq!(sent(&browser), 1);
    browser.proxy = None;
    for tab in 0..3 {
        browser.feed(tab, Input::Woken(Wake::Visible));
        browser.feed(tab, Input::Online(true));
    }
    browser.advance(19.9);
    assert_eq!(sent(&browser), 1, "neither time nor waking up brings a second one");
    browser.advance(1.0);
    assert_eq!((sent(&browser), browser.rotations), (2, 1));
    assert_eq!(browser.ends(), [None; 3]);
}

#[test]
fn a_long_backoff_of_our_own_does_not_hide_the_pause_that_the_server_asks_for() {
    let sent = |browser: &Browser| browser.tabs.iter().map(|tab| tab.requests.len()).sum::<usize>();
    // Each has failed for another while, so that backoffs of many lengths are under way.
    for minutes in 5..25 {
        let mut browser = Browser::new(2, &policy());
        browser.proxy = refusal(500, "", "");
        browser.advance(f64::from(minutes) * 60.0);
        browser.proxy = retry_after(429, 5);
        let before = sent(&browser);
        browser.feed(0, Input::Woken(Wake::Visible));
        assert_eq!(sent(&browser), before + 1, "waking up cuts our own backoff short");
        browser.feed(1, Input::Woken(Wake::Visible));
        browser.feed(0, Input::Woken(Wake::Visible));
        assert_eq!(sent(&browser), before + 1, "but not the server's, {minutes} minutes");
    }
}

#[test]
fn a_frozen_one_that_has_the_lock_holds_nobody_up() {
    let mut browser = Browser::new(2, &policy());
    browser.online = false;
    browser.advance(240.0);
    let holder = (0..2).find(|tab| !browser.tabs[*tab].sent.is_empty()).expect("one of them sends");
    browser.frozen[holder] = true;
    browser.online = true;
    // The lock is waited for no longer than one attempt and five seconds; then comes a look at
    // whether the other's attempt can still be under way.
    browser.advance(30.0);
    assert_eq!(browser.generations()[1 - holder], 2);
    browser.resume(holder);
    browser.advance(30.0);
    assert_eq!(browser.generations(), [2, 2]);
    assert!(!browser.reuse);
}

#[test]
fn a_frozen_one_is_not_waited_for_when_nobody_is_there() {
    let policy = Policy { idle: Some(250_000), idle_mode: IdleMode::End, warn: 5_000, ..policy() };
    for has_the_lock in [false, true] {
        let mut browser = Browser::new(2, &policy);
        browser.online = !has_the_lock;
        browser.advance(240.0);
        let frozen = (0..2).find(|tab| !browser.tabs[*tab].sent.is_empty()).unwrap_or(0);
        let running = 1 - frozen;
        browser.frozen[frozen] = true;
        browser.online = true;
        browser.advance(4.999);
        assert_eq!(browser.tabs[running].status(), Status::Active);
        browser.advance(0.001);
        assert_eq!(browser.tabs[running].status(), Status::Warning, "five seconds before the end");
        browser.advance(4.999);
        assert_eq!(browser.tabs[running].ticket.is_some(), has_the_lock, "it waits for the lock");
        assert_eq!(browser.tabs[running].ended(), None);
        browser.advance(0.001);
        assert_eq!(browser.tabs[running].ended(), Some(EndReason::Idle), "and not with its end");
        assert_eq!(browser.tabs[running].revokes.len(), 1);
        assert_eq!(browser.tabs[frozen].ended(), None);
        browser.resume(frozen);
        assert_eq!(browser.ends(), [Some(EndReason::Idle); 2]);
        assert_eq!(browser.count("signed-out"), [1; 2]);
    }
}

#[test]
fn one_that_fails_lets_the_lock_go_and_the_next_attempt_is_anybodys() {
    let mut browser = Browser::new(2, &policy());
    browser.proxy = refusal(502, "", "");
    browser.advance(242.0);
    let failing = (0..2).find(|tab| !browser.tabs[*tab].requests.is_empty()).expect("one tried");
    browser.frozen[failing] = true;
    browser.proxy = None;
    // It has failed a few times: the backoff is shorter than a minute, and shared.
    browser.advance(60.0);
    assert_eq!(browser.generations()[1 - failing], 2, "the other one refreshes");
    assert_eq!(browser.ends(), [None; 2]);
}

#[test]
fn a_copied_tab_with_copied_storage_is_one_of_them() {
    let mut browser = Browser::with(2, &policy(), |tab| tab.keep_tokens(Storage::Session));
    browser.tabs[1].own = browser.tabs[0].own.clone();
    browser.reload(1, &policy());
    assert_eq!(browser.tabs[1].status(), Status::Active);
    // The one reaches its margin, the other one a minute later.
    browser.frozen[1] = true;
    browser.advance(245.0);
    browser.resume(1);
    browser.advance(300.0);
    assert!(!browser.reuse);
    assert_eq!(browser.generations(), [3, 3]);
    assert_eq!(browser.rotations, 2, "one family, one advance per lifetime");
}

#[test]
fn a_sign_out_reaches_the_frozen_one_when_it_runs_again_and_is_said_once() {
    let mut browser = Browser::new(3, &policy());
    browser.frozen[2] = true;
    browser.act(0, Tab::sign_out);
    assert_eq!(browser.ends(), [Some(EndReason::SignedOut), Some(EndReason::SignedOut), None]);
    assert_eq!(browser.messages, 1, "those who hear it do not say it again");
    browser.resume(2);
    assert_eq!(browser.ends(), [Some(EndReason::SignedOut); 3]);
    assert_eq!(browser.count("signed-out"), [1; 3]);
    assert_eq!(browser.messages, 1);
}

#[test]
fn a_sign_out_whose_message_is_lost_is_found_in_storage() {
    let mut browser = Browser::new(2, &policy());
    browser.tabs[0].sign_out();
    browser.tabs[0].said.clear();
    browser.act(1, Tab::record_changed);
    assert_eq!(browser.ends(), [Some(EndReason::SignedOut); 2]);
}

#[test]
fn the_warning_comes_in_all_and_staying_in_one_takes_it_back_in_all() {
    let policy = Policy { idle: Some(900_000), idle_mode: IdleMode::End, warn: 60_000, ..policy() };
    let mut browser = Browser::new(3, &policy);
    browser.advance(845.0);
    assert_eq!(browser.count("warning"), [1, 1, 1]);
    browser.feed(1, Input::Touch);
    assert_eq!(browser.count("extended"), [1, 1, 1]);
    browser.advance(830.0);
    assert_eq!(browser.ends(), [None; 3]);
    browser.advance(75.0);
    assert_eq!(browser.ends(), [Some(EndReason::Idle); 3], "the deadline moved once");
}

#[test]
fn a_page_out_of_the_cache_knows_of_a_sign_out_before_its_first_request() {
    let mut browser = Browser::new(2, &policy());
    browser.feed(1, Input::Leaving);
    browser.frozen[1] = true;
    browser.act(0, Tab::sign_out);
    // Messages do not reach a page in the cache; shown again, the first thing is a look at storage.
    browser.tabs[1].feed(Input::Woken(Wake::Resumed));
    assert_eq!(browser.tabs[1].ended(), Some(EndReason::SignedOut));
    assert_eq!(browser.tabs[1].lease, None);
    assert_eq!(browser.tabs[1].requests.len(), 0);
}

#[test]
fn one_that_was_told_of_new_tokens_never_uses_the_old_ones_whatever_storage_still_shows() {
    let mut browser = Browser::new(2, &policy());
    let old = browser.tabs[1].store.borrow().clone();
    browser.advance(240.0);
    assert_eq!(browser.generations(), [2, 2]);
    let token = browser.tabs[1].access_token();
    // Storage of another process shows what was there before.
    *browser.tabs[1].store.borrow_mut() = old;
    browser.tabs[1].feed(Input::Woken(Wake::Visible));
    assert_eq!(browser.tabs[1].access_token(), token);
    assert_eq!(browser.tabs[1].snapshot().generation, 2);
    let waiter = browser.tabs[1].unauthorized(LeaseId(1));
    assert!(browser.tabs[1].outcome(waiter).is_some(), "a 401 of the old one takes the new one");
    assert_eq!(browser.refreshes, 1);
}

#[test]
fn an_end_has_one_reason_in_all_and_a_page_load_still_knows_it() {
    let verdict = |error_code| refusal(400, "invalid_grant", error_code);
    let idle = Policy { idle: Some(600_000), idle_mode: IdleMode::End, ..policy() };
    let aged = Policy { max_session: Some(600_000), ..policy() };
    let cases = [
        (EndReason::Idle, idle, None),
        (EndReason::MaxAge, aged, None),
        (EndReason::Revoked, policy(), verdict("")),
        (EndReason::Reuse, policy(), verdict("reuse_detected")),
        (EndReason::LoginRequired, policy(), verdict("login_required")),
    ];
    for (reason, policy, answer) in cases {
        let mut browser = Browser::new(3, &policy);
        browser.proxy = answer;
        browser.advance(700.0);
        assert_eq!(browser.ends(), [Some(reason); 3], "{reason:?}");
        assert_eq!(browser.count("signed-out"), [1; 3], "{reason:?}");
        browser.reload(2, &policy);
        assert_eq!(browser.tabs[2].ended(), Some(reason), "after a page load");
    }
}

#[test]
fn a_lost_answer_is_repeated_by_whoever_comes_next() {
    let mut browser = Browser::new(2, &policy());
    browser.online = false;
    browser.advance(240.0);
    let first = (0..2).find(|tab| !browser.tabs[*tab].sent.is_empty()).expect("one of them sends");
    browser.lose_answer(first);
    browser.reload(first, &policy());
    browser.online = true;
    browser.advance(30.0);
    assert!(!browser.reuse);
    assert_eq!((browser.rotations, browser.generations()), (1, vec![2, 2]));
}
