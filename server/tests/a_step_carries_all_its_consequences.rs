//! What follows from a request follows in one step of the store: no later one can be missing.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod stores;

use everfresh_server::rotation::{Revocation, Rules, SessionFamily, SessionId, Status, Transition};
use everfresh_server::store::{
    Change, MarkKind, PasswordChange, SignIn, SignOut, Store, TokenMark,
};
use stores::family;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_sign_in_is_worth_what_its_password_is_when_it_opens() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        let sign_in = |number| sign_in(number, "!", false);
        let opened = store.sign_in(sign_in(1)).await.unwrap().unwrap();
        assert_eq!((opened.row.user_version, opened.user.version), (1, 1), "{name}");

        let changed = store.change_password(change("!", "new", Some(sid(1)))).await.unwrap();
        assert_eq!(changed, Some(Vec::new()), "{name}");
        assert!(store.sign_in(sign_in(2)).await.unwrap().is_none(), "{name}: of the old password");
        assert!(store.session(sid(2)).await.unwrap().is_none(), "{name}");
        let again = store.change_password(change("!", "newer", None)).await.unwrap();
        assert_eq!(again, None, "{name}: of the old password too");

        let disabled = Change { disabled: Some(true), ..Change::default() };
        store.change_user("u_ann".to_owned(), disabled).await.unwrap();
        let late = SignIn { verified: "new".into(), ..sign_in(3) };
        assert!(store.sign_in(late).await.unwrap().is_none(), "{name}: locked out meanwhile");
    }
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_that_it_must() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        for number in 1..=3 {
            store.sign_in(sign_in(number, "!", false)).await.unwrap().unwrap();
        }
        let ended = store.change_password(change("!", "new", Some(sid(2)))).await.unwrap().unwrap();
        assert_eq!(numbers(&ended), [1, 3], "{name}");
        let why = Status::Revoked(Revocation::Password);
        assert!(ended.iter().all(|row| row.status == why), "{name}");
        assert_eq!(active(&**store).await, [2], "{name}");
    }
}

/// Sign-ins with the old password at that very moment are either too late, or found.
#[tokio::test]
async fn no_session_slips_past_a_new_password() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        for round in 0..20_u8 {
            let (old, new) = (format!("old {round}"), format!("old {}", round + 1));
            if round == 0 {
                store.change_password(change("!", &old, None)).await.unwrap().unwrap();
            }
            let mut tasks = JoinSet::new();
            for number in 0..8 {
                let (store, old) = (store.clone(), old.clone());
                tasks.spawn(async move {
                    store.sign_in(sign_in(round * 8 + number, &old, false)).await.unwrap();
                });
            }
            store.change_password(change(&old, &new, None)).await.unwrap().unwrap();
            tasks.join_all().await;
            assert_eq!(active(&**store).await, NONE, "{name}, round {round}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_voids_the_older_ones_where_it_has_to() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        store.sign_in(sign_in(1, "!", true)).await.unwrap().unwrap();
        let note = TokenMark {
            kind: MarkKind::Agent,
            key: sid(2).to_string(),
            sid: sid(2),
            text: "browser".to_owned(),
            until: 1_000,
        };
        let noted = SignIn { note: Some(note.clone()), ..sign_in(2, "!", true) };
        let opened = store.sign_in(noted).await.unwrap().unwrap();
        assert_eq!((opened.row.user_version, numbers(&opened.ended)), (3, vec![1]), "{name}");
        assert_eq!(active(&**store).await, [2], "{name}");
        let found = store.noted(MarkKind::Agent, note.key.clone(), 0).await.unwrap();
        assert_eq!(found, Some(note), "{name}");
    }
}

#[tokio::test]
async fn reuse_ends_all_sessions_of_the_user_where_it_has_to() {
    let rules = Rules { reuse_ends_all: true, ..Rules::default() };
    for stores::Tested { name, store, .. } in &stores::all(rules).await {
        let (token, _) = family(1, "ann", 0);
        for number in 1..=3 {
            store.sign_in(sign_in(number, "!", false)).await.unwrap().unwrap();
        }
        store.open(family(4, "ben", 0).1).await.unwrap();
        stores::refresh(store, &token, Some(1), 0).await.answer.unwrap();
        let outcome = stores::refresh(store, &token, Some(2), 0).await;
        assert_eq!(outcome.transition, Transition::Reused, "{name}");
        assert_eq!(numbers(&outcome.ended), [1, 2, 3], "{name}");
        assert_eq!(active(&**store).await, [4], "{name}");
    }
}

#[tokio::test]
async fn only_a_living_session_speaks_for_the_others() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        for number in 1..=4 {
            let mut sign_in = sign_in(number, "!", false);
            sign_in.row.idle_expires_at = Some(if number == 1 { 100 } else { 1_000 });
            store.sign_in(sign_in).await.unwrap().unwrap();
        }
        let sign_out = |number, now, everywhere| SignOut {
            sid: sid(number),
            everywhere,
            raises_version: false,
            forgets_allowed: false,
            denied: None,
            now,
            max_login_age: None,
        };
        let ended = async |wish| numbers(&store.sign_out(wish).await.unwrap().ended);
        assert_eq!(ended(sign_out(2, 0, false)).await, [2], "{name}");
        assert_eq!(ended(sign_out(2, 0, true)).await, NONE, "{name}: it has ended");
        assert_eq!(ended(sign_out(9, 0, true)).await, NONE, "{name}: there is none");
        assert_eq!(ended(sign_out(1, 100, true)).await, [1], "{name}: its time is over");
        assert_eq!(active(&**store).await, [3, 4], "{name}");
        assert_eq!(ended(sign_out(3, 100, true)).await, [3, 4], "{name}");
    }
}

#[tokio::test]
async fn a_sign_out_takes_the_access_tokens_along() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        for number in 1..=2 {
            store.sign_in(sign_in(number, "!", false)).await.unwrap().unwrap();
        }
        let note = |kind, key: &str| TokenMark {
            kind,
            key: key.to_owned(),
            sid: sid(1),
            text: String::new(),
            until: 1_000,
        };
        for key in ["a", "b"] {
            store.note(note(MarkKind::Allowed, key), 0).await.unwrap();
        }
        let sign_out = SignOut {
            sid: sid(1),
            everywhere: false,
            raises_version: true,
            forgets_allowed: true,
            denied: Some(note(MarkKind::Denied, "c")),
            now: 0,
            max_login_age: None,
        };
        let done = store.sign_out(sign_out).await.unwrap();
        let (one, other) = (&done.ended[0], &done.ended[1]);
        assert_eq!(one.status, Status::Revoked(Revocation::Logout), "{name}");
        assert_eq!(other.status, Status::Revoked(Revocation::Version), "{name}");
        assert_eq!(done.forgotten.len(), 2, "{name}");
        assert_eq!(store.notes(MarkKind::Allowed, 0).await.unwrap(), 0, "{name}");
        assert_eq!(store.notes(MarkKind::Denied, 0).await.unwrap(), 1, "{name}");
        let ann = store.user_named("ann".to_owned()).await.unwrap().unwrap();
        assert_eq!(ann.version, 2, "{name}");
    }
}

fn sign_in(number: u8, verified: &str, voids_others: bool) -> SignIn {
    SignIn { row: family(number, "ann", 0).1, verified: verified.into(), voids_others, note: None }
}

fn change(verified: &str, password: &str, spared: Option<SessionId>) -> PasswordChange {
    let (verified, password) = (verified.into(), password.into());
    PasswordChange { user_id: "u_ann".to_owned(), verified, password, spared }
}

fn sid(number: u8) -> SessionId {
    SessionId([number; 16])
}

fn numbers(rows: &[SessionFamily]) -> Vec<u8> {
    rows.iter().map(|row| row.sid.0[0]).collect()
}

async fn active(store: &dyn Store) -> Vec<u8> {
    let mut rows = store.sessions(None).await.unwrap();
    rows.retain(|row| row.status == Status::Active);
    numbers(&rows)
}

const NONE: [u8; 0] = [];
