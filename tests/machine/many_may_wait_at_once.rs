use everfresh::core::{
    effect::Outcome, error::Error, grant::TokenResponse, ids::WaiterId, input::Input,
    policy::Policy,
};

use crate::rig::Tab;

/// Callers that want tokens of different validity, one of each, none of which can be had now.
fn crowd(tab: &mut Tab) -> Vec<WaiterId> {
    (0..2_000).map(|more| tab.want_token_for(300_000 + 1 + more)).collect()
}

fn settled(tab: &Tab) -> Vec<WaiterId> {
    tab.settled.iter().map(|(waiter, _)| *waiter).collect()
}

#[test]
fn each_gets_the_next_token_in_the_order_in_which_they_came() {
    let mut tab = Tab::signed_in(Policy::default());
    let crowd = crowd(&mut tab);
    assert!(tab.settled.is_empty());
    tab.answer_granted(301);
    assert_eq!(settled(&tab), crowd);
    let lease = tab.lease_id();
    let is_new = |outcome: &Outcome| matches!(outcome, Outcome::Token(given) if given.id == lease);
    assert!(tab.settled.iter().all(|(_, outcome)| is_new(outcome)));
    assert_eq!(tab.requests.len(), 1);
}

#[test]
fn each_waits_as_long_as_it_may_and_no_longer() {
    let policy = Policy { wait: Some(5_000), timeout: 60_000, ..Policy::default() };
    let mut tab = Tab::signed_in(policy);
    let mut due = Vec::new();
    for nth in 0..2_000 {
        if nth == 1_900 {
            tab.configure(|settings| settings.policy.wait = Some(2_000));
        }
        let until = tab.now.monotonic + if nth < 1_900 { 5_000 } else { 2_000 };
        due.push((until, tab.want_token_for(300_001 + nth)));
        tab.pass(1);
    }
    for (_, waiter) in due.extract_if(.., |(_, waiter)| waiter.0 % 3 == 0) {
        tab.abandon(waiter);
    }
    due.sort_unstable();
    let mut overdue = Vec::new();
    while overdue.len() < due.len() {
        let told = tab.settled.len();
        tab.pass(tab.wait().expect("a caller waits"));
        tab.feed(Input::TimerFired);
        let now = tab.now.monotonic;
        overdue.extend(tab.settled[told..].iter().map(|(waiter, _)| (now, *waiter)));
    }
    assert_eq!(overdue, due);
    let failed = Outcome::Failed(Error::Unavailable);
    assert!(tab.settled.iter().all(|(_, outcome)| *outcome == failed));
}

/// A request may still come with an older token's 401, long after others began to wait.
#[test]
fn a_caller_that_can_be_served_at_once_is_served_beside_those_that_cannot() {
    let mut tab = Tab::signed_in(Policy::default());
    let old = tab.lease_id();
    tab.unauthorized(old);
    tab.answer_granted(300);
    let crowd = crowd(&mut tab);
    let (served, late) = (tab.settled.len(), tab.unauthorized(old));
    let waiter = tab.want_token();
    assert_eq!(settled(&tab)[served..], [late, waiter]);
    tab.answer_granted(301);
    assert_eq!(settled(&tab)[served + 2..], crowd);
}

/// Whether a user is signed in is known, and N callers wait for a token.
#[test]
fn a_page_that_restores_meanwhile_is_answered_at_once() {
    let mut tab = Tab::signed_in(Policy::default());
    crowd(&mut tab);
    let restoring = tab.restore();
    assert_eq!(tab.outcome(restoring), Some(&Outcome::Done));
    assert_eq!(tab.settled.len(), 1);
}

/// The page leaves in the moment in which its token can be used, and comes back.
#[test]
fn a_caller_that_waits_while_the_page_is_away_is_served() {
    let mut tab = Tab::new(Policy::default());
    let not_before = format!(r#""nbf":{}"#, tab.now.wall / 1_000 + 20);
    let tokens = tab.tokens_saying(&not_before, 300);
    tab.start_with(tokens);
    let [one, other] = [0, 400_000].map(|min_validity| tab.want_token_for(min_validity));
    assert!(tab.settled.is_empty());
    tab.pass(20_000);
    tab.feed(Input::Leaving);
    tab.feed(Input::TimerFired);
    assert!(matches!(tab.outcome(one), Some(Outcome::Token(_))));
    assert_eq!(tab.outcome(other), None);
}

/// Nothing could bring a token that is good for longer: the one there is, is given at once.
#[test]
fn what_a_token_lacks_is_waited_for_only_where_a_refresh_may_come() {
    let idle = Policy { idle: Some(60_000), ..Policy::default() };
    let mut renewable = Tab::signed_in(idle.clone());
    let mut asleep = Tab::signed_in(idle);
    asleep.pass(61_000);
    let mut alone = Tab::new(Policy::default());
    let tokens = alone.tokens(300);
    alone.start_with(TokenResponse { refresh_token: None, ..tokens });
    for (tab, waits) in [(&mut renewable, true), (&mut asleep, false), (&mut alone, false)] {
        let waiter = tab.want_token_for(400_000);
        assert_eq!(tab.outcome(waiter).is_none(), waits);
        assert!(waits || matches!(tab.outcome(waiter), Some(Outcome::Token(_))));
    }
}
