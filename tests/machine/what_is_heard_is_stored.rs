//! Whoever says it may store elsewhere, as a tab with storage of its own does, or nowhere, as a worker.

use everfresh::{
    core::{input::Input, policy::Policy, reason::EndReason},
    engine::records::Storage,
};

use crate::{browser::Browser, rig::Tab};

const PAGE: usize = 0;
const WORKER: usize = 1;

fn policy() -> Policy {
    Policy { jitter: 0, idle: None, ..Policy::default() }
}

/// A page with storage, and a worker without.
fn page_and_worker() -> Browser {
    let mut browser = Browser::new(2, &policy());
    browser.tabs[WORKER].storage_works = false;
    browser
}

fn refresh(browser: &mut Browser, tab: usize) {
    browser.act(tab, Tab::want_refresh);
}

/// The page is loaded again, and its worker is gone.
fn reload_alone(browser: &mut Browser) {
    browser.close(WORKER);
    browser.reload(PAGE, &policy());
    browser.advance(2.0);
}

#[test]
fn tokens_that_a_worker_fetched_survive_it() {
    let mut browser = page_and_worker();
    refresh(&mut browser, WORKER);
    refresh(&mut browser, WORKER);

    reload_alone(&mut browser);

    assert_eq!(browser.tabs[PAGE].snapshot().generation, 3);
    refresh(&mut browser, PAGE);
    assert!(!browser.reuse, "what was stored was used long ago");
    assert_eq!(browser.rotations, 3);
}

#[test]
fn a_rotation_that_a_worker_did_not_end_is_repeated_with_its_key() {
    let mut browser = page_and_worker();
    browser.online = false;
    refresh(&mut browser, WORKER);
    browser.lose_answer(WORKER);
    browser.online = true;

    reload_alone(&mut browser);
    refresh(&mut browser, PAGE);
    browser.advance(0.25);

    assert!(!browser.reuse);
    assert_eq!((browser.refreshes, browser.rotations), (2, 1));
    assert_eq!(browser.tabs[PAGE].snapshot().generation, 2);
}

#[test]
fn a_sign_out_in_a_worker_holds_after_a_reload() {
    let mut browser = page_and_worker();
    browser.act(WORKER, Tab::sign_out);

    reload_alone(&mut browser);

    assert_eq!(browser.ends()[PAGE], Some(EndReason::SignedOut));
    let stored = browser.tabs[PAGE].store.borrow().clone().unwrap_or_default();
    assert!(!stored.contains("refresh-"), "no token is left behind");
}

#[test]
fn a_sign_in_of_a_worker_is_the_pages_as_well() {
    let mut browser = page_and_worker();
    browser.act(PAGE, Tab::sign_out);
    let tokens = browser.tabs[WORKER].tokens(300);
    browser.act(WORKER, |tab| tab.start_with(tokens));
    let generations = browser.generations();
    assert_eq!(generations[PAGE], generations[WORKER]);

    reload_alone(&mut browser);

    assert_eq!(browser.generations(), generations);
    assert_eq!(browser.ends()[PAGE], None);
}

#[test]
fn a_tab_with_a_place_of_its_own_keeps_what_others_fetched() {
    let mut browser = Browser::with(2, &policy(), |tab| tab.keep_tokens(Storage::Session));
    refresh(&mut browser, WORKER);
    refresh(&mut browser, WORKER);

    reload_alone(&mut browser);

    assert_eq!(browser.ends()[PAGE], None);
    assert_eq!(browser.tabs[PAGE].snapshot().generation, 3);
}

#[test]
fn a_tab_that_cancelled_stores_nothing_for_others() {
    let mut browser = page_and_worker();
    browser.feed(PAGE, Input::Cancel(None));
    let before = browser.tabs[PAGE].store.borrow().clone();

    refresh(&mut browser, WORKER);

    assert_eq!(*browser.tabs[PAGE].store.borrow(), before);
}

/// Another user signs in in the worker.
fn ben_signs_in(browser: &mut Browser) {
    let tokens = browser.tabs[WORKER].tokens_for("ben", 300);
    browser.act(WORKER, |tab| tab.start_with(tokens));
}

#[test]
fn another_user_who_signs_in_in_a_worker_is_not_undone_by_a_reload() {
    let mut browser = page_and_worker();
    ben_signs_in(&mut browser);
    assert_eq!(browser.ends()[PAGE], Some(EndReason::SubjectChanged));

    reload_alone(&mut browser);

    assert_eq!(browser.tabs[PAGE].snapshot().subject.as_deref(), Some("ben"));
}

#[test]
fn nor_is_that_users_sign_out() {
    let mut browser = page_and_worker();
    ben_signs_in(&mut browser);
    browser.act(WORKER, |tab| tab.sign_out_from(true));

    reload_alone(&mut browser);

    assert_eq!(browser.tabs[PAGE].snapshot().subject, None);
}

#[test]
fn another_user_is_stored_by_a_page_that_nobody_is_signed_in_on() {
    let mut browser = page_and_worker();
    browser.act(PAGE, Tab::sign_out);
    ben_signs_in(&mut browser);

    reload_alone(&mut browser);

    assert_eq!(browser.tabs[PAGE].snapshot().subject.as_deref(), Some("ben"));
}

#[test]
fn a_question_is_no_news() {
    let mut tab = Tab::signed_in(policy());
    let before = tab.stats().storage.writes;
    tab.hear("everfresh 1 ask");
    assert_eq!(tab.stats().storage.writes, before);
}
