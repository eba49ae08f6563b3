//! Whatever happens, in whatever order: the machine's promises hold.

use everfresh::core::{
    clock::Millis,
    ids::{Attempt, LeaseId, WaiterId},
    input::{Input, Wake},
    policy::{Credential, IdleMode, Policy},
    reason::EndReason,
    snapshot::Status,
};
use proptest::{collection::vec, option::of, prelude::*};

use crate::{
    rig::Tab,
    wire::{UNREACHABLE, granted, retry_after},
};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Start(u32),
    StartOther(u32),
    Restore,
    Cancel,
    SignOut,
    TokenWanted(Millis),
    Unauthorized,
    RefreshWanted,
    Granted(u32),
    Status(u16),
    InvalidGrant,
    Superseded,
    RetryAfter(u32),
    Unreachable,
    LateAnswer(Attempt),
    GrantLocks(bool),
    StorageWorks(bool),
    CorruptStorage,
    Activity,
    Touch,
    Hold(bool),
    Visible,
    Resumed,
    Leaving,
    Online(bool),
    Advance(f64),
    Sleep(i64),
    Jump(Millis),
    Message(String),
    Abandon(WaiterId),
    Dispose,
}

pub(crate) fn steps() -> impl Strategy<Value = Step> {
    use Step::*;
    prop_oneof![
        2 => (1..400_u32).prop_map(Start),
        1 => (1..400_u32).prop_map(StartOther),
        2 => Just(Restore),
        1 => Just(Cancel),
        1 => Just(SignOut),
        4 => (0..400_000_i64).prop_map(TokenWanted),
        4 => Just(Unauthorized),
        2 => Just(RefreshWanted),
        6 => (0..400_u32).prop_map(Granted),
        3 => prop_oneof![Just(500), Just(429), Just(408), Just(404), Just(302)].prop_map(Status),
        1 => Just(InvalidGrant),
        1 => Just(Superseded),
        1 => (0..90_u32).prop_map(RetryAfter),
        3 => Just(Unreachable),
        1 => (0..40_u32).prop_map(|attempt| LateAnswer(Attempt(attempt))),
        1 => any::<bool>().prop_map(GrantLocks),
        1 => any::<bool>().prop_map(StorageWorks),
        1 => Just(CorruptStorage),
        3 => Just(Activity),
        1 => Just(Touch),
        1 => any::<bool>().prop_map(Hold),
        2 => Just(Visible),
        2 => Just(Resumed),
        1 => Just(Leaving),
        2 => any::<bool>().prop_map(Online),
        8 => (0.0..400.0).prop_map(Advance),
        1 => (1..100_000_i64).prop_map(Sleep),
        1 => (-100_000_000..100_000_000_i64).prop_map(Jump),
        1 => prop_oneof![Just("everfresh 1 ask".to_owned()), "\\PC*"].prop_map(Message),
        1 => (0..20_u32).prop_map(|waiter| Abandon(WaiterId(waiter))),
        1 => Just(Dispose),
    ]
}

pub(crate) fn policies() -> impl Strategy<Value = Policy> {
    (
        0..100_000_i64,
        0..50_000_i64,
        0..10_000_i64,
        of(1_000..600_000_i64),
        any::<(bool, bool)>(),
        0..90_000_i64,
        of(1_000..3_000_000_i64),
        of(0..60_000_i64),
        prop_oneof![
            Just(Credential::RefreshToken),
            Just(Credential::AccessToken),
            Just(Credential::Cookie),
            Just(Credential::Function),
        ],
    )
        .prop_map(
            |(
                lead,
                jitter,
                min_interval,
                idle,
                (end, extend_by_touch),
                warn,
                max_session,
                wait,
                credential,
            )| Policy {
                lead,
                jitter,
                min_interval,
                idle,
                idle_mode: if end { IdleMode::End } else { IdleMode::Lapse },
                extend_by_touch,
                warn,
                max_session,
                timeout: 10_000,
                wait,
                credential,
            },
        )
}

/// The rig itself checks at each input: one refresh at a time, each waiter settled once, no
/// deadline left in the past, no livelock.
pub(crate) fn take(tab: &mut Tab, step: Step) {
    let waiting = !tab.sent.is_empty();
    match step {
        Step::Start(seconds) => tab.start(seconds),
        Step::StartOther(seconds) => {
            let tokens = tab.tokens_for("ben", seconds);
            tab.start_with(tokens);
        }
        Step::Restore => {
            tab.restore();
        }
        Step::Cancel => tab.feed(Input::Cancel(None)),
        Step::SignOut => {
            tab.sign_out();
        }
        Step::TokenWanted(min_validity) => {
            tab.want_token_for(min_validity);
        }
        Step::Unauthorized => {
            let lease = tab.lease.as_ref().map_or(LeaseId(1), |lease| lease.id);
            tab.unauthorized(lease);
        }
        Step::RefreshWanted => {
            tab.want_refresh();
        }
        Step::Granted(seconds) if waiting => tab.answer_granted(seconds),
        Step::Status(status) if waiting => tab.answer_status(status, "", ""),
        Step::InvalidGrant if waiting => tab.answer_status(400, "invalid_grant", ""),
        Step::Superseded if waiting => tab.answer_status(400, "invalid_grant", "superseded"),
        Step::RetryAfter(seconds) if waiting => tab.answer(retry_after(429, seconds)),
        Step::Unreachable if waiting => tab.answer(UNREACHABLE),
        Step::LateAnswer(attempt) => {
            let answer = granted(&tab.tokens(300));
            if tab.sent.iter().all(|(sent, _)| *sent != attempt) {
                tab.answer_to(attempt, answer);
            }
        }
        Step::GrantLocks(grants) => tab.grants_locks = grants,
        Step::StorageWorks(works) => tab.storage_works = works,
        Step::CorruptStorage => *tab.store.borrow_mut() = Some("{\"version\":9}".to_owned()),
        Step::Activity => tab.feed(Input::Activity),
        Step::Touch => tab.feed(Input::Touch),
        Step::Hold(begins) => tab.feed(Input::Hold(begins)),
        Step::Visible => tab.feed(Input::Woken(Wake::Visible)),
        Step::Resumed => tab.feed(Input::Woken(Wake::Resumed)),
        Step::Leaving => tab.feed(Input::Leaving),
        Step::Online(online) => tab.feed(Input::Online(online)),
        Step::Advance(seconds) => tab.advance(seconds),
        Step::Sleep(seconds) => tab.sleep(seconds),
        Step::Jump(millis) => tab.now.wall += millis,
        Step::Message(text) => tab.hear(&text),
        Step::Abandon(waiter) => tab.abandon(waiter),
        Step::Dispose => tab.feed(Input::Dispose),
        _ => {}
    }
}

fn signed_out(tab: &Tab) -> bool {
    tab.status() == Status::SignedOut
}

pub(crate) fn keeps_its_promises(tab: &Tab) -> Result<(), TestCaseError> {
    prop_assert!(!signed_out(tab) || tab.lease.is_none(), "no token after the end");
    prop_assert!(!signed_out(tab) || tab.sent.is_empty(), "no refresh after the end");
    prop_assert!(tab.locks_held <= 1);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn keeps_the_promises(policy in policies(), steps in vec(steps(), 1..60)) {
        let mut tab = Tab::new(policy);
        for step in steps {
            take(&mut tab, step);
            keeps_its_promises(&tab)?;
        }
    }

    #[test]
    fn cancel_leaves_nothing(policy in policies(), steps in vec(steps(), 1..40)) {
        let mut tab = Tab::new(policy);
        for step in steps {
            take(&mut tab, step);
        }
        tab.feed(Input::Cancel(None));
        let requests = tab.requests.len();
        prop_assert!(tab.sent.is_empty() && tab.lease.is_none() && tab.locks_held == 0);
        tab.revokes.clear();
        for _ in 0..20 {
            tab.advance(300.0);
            tab.feed(Input::Activity);
        }
        prop_assert_eq!(tab.requests.len(), requests, "no refresh after cancel");
        prop_assert!(tab.lease.is_none());
    }

    #[test]
    fn nothing_waits_for_ever(policy in policies(), steps in vec(steps(), 1..40)) {
        let bounded = policy.wait.is_some();
        let mut tab = Tab::new(policy);
        for step in steps {
            take(&mut tab, step);
        }
        let waiter = tab.want_token();
        tab.advance(120.0);
        prop_assert!(!bounded || tab.outcome(waiter).is_some(), "settled within its bound");
    }

    #[test]
    fn an_end_needs_a_cause(policy in policies(), steps in vec(steps(), 1..60)) {
        let mut tab = Tab::new(policy.clone());
        // A sign-out that has to look for its session first ends it later.
        let mut user = false;
        let mut last = None;
        for step in steps {
            let verdict = matches!(
                step,
                Step::InvalidGrant | Step::Superseded | Step::Status(404) | Step::Granted(_)
            );
            user |= matches!(
                step,
                Step::Cancel | Step::SignOut | Step::Restore | Step::Dispose
                    | Step::Start(_) | Step::StartOther(_)
            );
            let before = signed_out(&tab);
            take(&mut tab, step);
            // A restore that finds nothing goes back to the end that was.
            if signed_out(&tab) && !before && tab.ended() != last {
                let cause = match tab.ended() {
                    Some(EndReason::Idle) => policy.idle.is_some(),
                    Some(EndReason::MaxAge) => policy.max_session.is_some(),
                    Some(EndReason::Revoked | EndReason::SubjectChanged) => verdict,
                    Some(EndReason::LoginRequired) => policy.credential != Credential::Cookie,
                    Some(EndReason::None) => true,
                    Some(EndReason::CorruptStorage) => true,
                    Some(_) => user,
                    None => false,
                };
                prop_assert!(cause, "ended by {:?}", tab.ended());
            }
            last = tab.ended().or(last);
        }
    }
}

#[test]
fn storage_that_reads_back_garbage_is_no_end() {
    let mut tab = Tab::signed_in(Policy::default());
    *tab.store.borrow_mut() = Some("?".to_owned());
    tab.record_changed();
    assert_eq!(tab.status(), Status::Active);
}
