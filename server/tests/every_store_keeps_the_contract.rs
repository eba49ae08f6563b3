//! One suite over all stores.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod stores;

use std::collections::HashSet;
use std::sync::Arc;

use everfresh_server::audit::{Action, Entry};
use everfresh_server::rotation::{Revocation, Rules, SessionId, Status, Transition};
use everfresh_server::store::{
    Change, MarkKind, SessionSelector, SqliteStore, Store as _, TokenMark,
};
use stores::{Folder, family, refresh, sqlite, user};
use tokio::task::JoinSet;

#[tokio::test]
async fn a_family_is_found_as_it_was_left() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        let (token, mut row) = family(1, "ann", 1_000);
        row.device_name = Some("ann's \"phone\" \u{1f4f1}".to_owned());
        row.absolute_expires_at = Some(u64::MAX / 2);
        store.open(row.clone()).await.unwrap();
        row.user_version = 1;
        let (found, owner) = store.session(token.sid).await.unwrap().unwrap();
        assert_eq!((found, owner), (row, user("ann")), "{name}");

        let outcome = refresh(store, &token, Some(1), 2_000).await;
        let renewed = outcome.answer.unwrap();
        let (found, _) = store.session(token.sid).await.unwrap().unwrap();
        assert_eq!(found, renewed.row, "{name}");
        assert_eq!((found.generation, found.keyed, found.ring.len()), (1, true, 1), "{name}");
        assert!(store.session(SessionId([9; 16])).await.unwrap().is_none(), "{name}");
        store.probe().await.unwrap();
    }
}

#[tokio::test]
async fn ending_touches_what_it_should_and_nothing_else() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        for (number, owner) in [(1, "ann"), (2, "ann"), (3, "ann"), (4, "ben")] {
            store.open(family(number, owner, 0).1).await.unwrap();
        }
        let sid = |number| SessionId([number; 16]);
        let active = async || {
            let rows = store.sessions(None).await.unwrap();
            let active = rows.iter().filter(|row| row.status == Status::Active);
            active.map(|row| row.sid.0[0]).collect::<Vec<_>>()
        };
        let end = async |whose| store.end(whose, Revocation::Device).await.unwrap().len();
        assert_eq!(end(SessionSelector::SessionOf("u_ben".to_owned(), sid(1))).await, 0, "{name}");
        assert_eq!(end(SessionSelector::SessionOf("u_ann".to_owned(), sid(1))).await, 1, "{name}");
        assert_eq!(active().await, [2, 3, 4], "{name}");
        assert_eq!(
            end(SessionSelector::Session(sid(1))).await,
            0,
            "{name}: ended families stay as they are"
        );
        assert_eq!(end(SessionSelector::User("u_ann".to_owned(), Some(sid(3)))).await, 1, "{name}");
        assert_eq!(active().await, [3, 4], "{name}");
        assert_eq!(end(SessionSelector::User("u_ann".to_owned(), None)).await, 1, "{name}");
        assert_eq!(active().await, [4], "{name}");
        assert_eq!(store.sessions(Some("u_ann".to_owned())).await.unwrap().len(), 3, "{name}");
    }
}

#[tokio::test]
async fn users_are_added_once_and_change_in_part() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        assert!(!store.add_user(user("ann")).await.unwrap(), "{name}");
        let change = Change {
            phone: Some(Some("1".to_owned())),
            bump_version: true,
            reauth: Some(true),
            ..Change::default()
        };
        let ann = store.change_user("u_ann".to_owned(), change).await.unwrap().unwrap();
        assert_eq!((ann.phone.as_deref(), ann.version, ann.reauth), (Some("1"), 2, true), "{name}");
        assert_eq!(store.user_named("ann".to_owned()).await.unwrap().unwrap(), ann, "{name}");
        store.open(family(1, "ann", 0).1).await.unwrap();
        let (row, ann) = store.session(SessionId([1; 16])).await.unwrap().unwrap();
        assert_eq!((row.user_version, ann.reauth), (2, false), "{name}");
        let nobody = store.change_user("u_x".to_owned(), Change::default()).await.unwrap();
        assert!(nobody.is_none() && store.user_named("x".to_owned()).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_use_moves_the_idle_end_but_never_past_the_absolute_one() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        let (token, mut row) = family(1, "ann", 0);
        (row.idle_expires_at, row.absolute_expires_at) = (Some(100), Some(250));
        store.open(row).await.unwrap();
        let idle_end = async || {
            let (row, _) = store.session(token.sid).await.unwrap().unwrap();
            (row.last_used_at, row.idle_expires_at)
        };
        store.touch(token.sid, 90, Some(100)).await.unwrap();
        assert_eq!(idle_end().await, (90, Some(190)), "{name}");
        store.touch(token.sid, 180, Some(100)).await.unwrap();
        assert_eq!(idle_end().await, (180, Some(250)), "{name}");
        store.end(SessionSelector::Session(token.sid), Revocation::Logout).await.unwrap();
        store.touch(token.sid, 200, Some(100)).await.unwrap();
        assert_eq!(idle_end().await, (180, Some(250)), "{name}: what has ended stays as it is");
        store.touch(SessionId([9; 16]), 200, None).await.unwrap();
    }
}

#[tokio::test]
async fn a_note_is_kept_until_it_expires() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        let note = |kind, key: &str, sid: u8, until| TokenMark {
            kind,
            key: key.to_owned(),
            sid: SessionId([sid; 16]),
            text: format!("{key} \"{until}\""),
            until,
        };
        let written = note(MarkKind::Denied, "a", 1, 100);
        for note in [
            note(MarkKind::Denied, "a", 1, 50),
            written.clone(),
            note(MarkKind::Denied, "b", 1, 200),
            note(MarkKind::Denied, "c", 2, 200),
            note(MarkKind::Allowed, "a", 1, 200),
        ] {
            store.note(note, 0).await.unwrap();
        }
        let find = async |now| store.noted(MarkKind::Denied, "a".to_owned(), now).await.unwrap();
        assert_eq!(find(99).await, Some(written), "{name}");
        assert_eq!(find(100).await, None, "{name}");
        let count = async |now| store.notes(MarkKind::Denied, now).await.unwrap();
        assert_eq!((count(99).await, count(100).await, count(200).await), (3, 2, 0), "{name}");

        store.note(note(MarkKind::Issued, "z", 3, 300), 150).await.unwrap();
        assert_eq!(find(99).await, None, "{name}: what has expired is dropped");
        let session = SessionId([1; 16]);
        let taken = store.forget(MarkKind::Denied, session).await.unwrap();
        assert_eq!(taken, [note(MarkKind::Denied, "b", 1, 200)], "{name}");
        assert_eq!(count(150).await, 1, "{name}: another session's stay");
        let allowed = store.noted(MarkKind::Allowed, "a".to_owned(), 150).await.unwrap();
        assert_eq!(allowed.map(|note| note.until), Some(200), "{name}: other kinds stay");
    }
}

#[tokio::test]
async fn sweeping_forgets_only_what_is_long_over() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        for (number, idle, absolute) in
            [(1, Some(100), Some(900)), (2, Some(900), None), (3, None, Some(99)), (4, None, None)]
        {
            let mut row = family(number, "ann", u64::from(number)).1;
            (row.idle_expires_at, row.absolute_expires_at) = (idle, absolute);
            store.open(row).await.unwrap();
        }
        assert_eq!(store.sweep(100).await.unwrap(), 1, "{name}");
        assert_eq!(store.sweep(101).await.unwrap(), 1, "{name}");
        let left = store.sessions(None).await.unwrap();
        assert_eq!(left.iter().map(|row| row.sid.0[0]).collect::<Vec<_>>(), [2, 4], "{name}");
    }
}

#[tokio::test]
async fn the_audit_log_keeps_the_newest_in_order() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        let entry = |at: u64| Entry {
            at,
            action: Action::Ended,
            detail: "logout".to_owned(),
            session: format!("s{at}"),
            user: "u".to_owned(),
            address: format!("a{at}"),
            left_out: at,
        };
        store.audit(vec![entry(1), entry(2)], 0).await.unwrap();
        store.audit(vec![entry(3), entry(4)], 2).await.unwrap();
        assert_eq!(store.audited(2).await.unwrap(), [entry(4), entry(3)], "{name}");
        assert_eq!(store.audited(9).await.unwrap(), [entry(4), entry(3), entry(2)], "{name}");
        store.audit(Vec::new(), 5).await.unwrap();
        assert!(store.audited(9).await.unwrap().is_empty(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_refreshes_at_once_with_one_key_one_advances_and_all_get_the_same() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        let (token, row) = family(1, "ann", 0);
        store.open(row).await.unwrap();
        let (advances, answers) = race(store, &token, |_| Some(1)).await;
        assert_eq!((advances, answers), (1, 1), "{name}");
        let (row, _) = store.session(token.sid).await.unwrap().unwrap();
        assert_eq!((row.generation, row.status), (1, Status::Active), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_refreshes_at_once_with_different_keys_one_advances_and_the_family_dies() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        let (token, row) = family(1, "ann", 0);
        store.open(row).await.unwrap();
        let (advances, answers) = race(store, &token, Some).await;
        assert_eq!((advances, answers), (1, 1), "{name}");
        let (row, _) = store.session(token.sid).await.unwrap().unwrap();
        assert_eq!(row.status, Status::Revoked(Revocation::Reuse), "{name}");
    }
}

#[tokio::test]
async fn sqlite_finds_everything_again_after_a_restart() {
    let folder = Folder::new();
    let (token, row) = family(1, "ann", 0);
    let first = {
        let store: Arc<dyn everfresh_server::store::Store> =
            Arc::new(sqlite(&folder, Rules::default()));
        store.add_user(user("ann")).await.unwrap();
        store.open(row).await.unwrap();
        refresh(&store, &token, Some(1), 10).await.answer.unwrap().token
    };
    let store: Arc<dyn everfresh_server::store::Store> =
        Arc::new(sqlite(&folder, Rules::default()));
    let again = refresh(&store, &token, Some(1), 20).await;
    assert_eq!(again.transition, Transition::Replayed);
    assert_eq!(again.answer.unwrap().token, first);
    assert_eq!(refresh(&store, &first, Some(2), 30).await.transition, Transition::Rotated);
}

#[tokio::test]
async fn sqlite_brings_an_older_file_up_to_date_and_refuses_a_newer_one() {
    let folder = Folder::new();
    drop(sqlite(&folder, Rules::default()));
    let file = folder.0.join("test.db");
    let change = |statements: &str| {
        rusqlite::Connection::open(&file).unwrap().execute_batch(statements).unwrap();
    };
    change("DROP TABLE note; DROP TABLE audit; PRAGMA user_version = 1;");
    let store = sqlite(&folder, Rules::default());
    assert_eq!(store.notes(MarkKind::Denied, 0).await.unwrap(), 0);
    drop(store);
    change("PRAGMA user_version = 1000;");
    let error = stores::open_sqlite(&file, Rules::default()).unwrap_err();
    assert!(error.to_string().contains("which a newer server wrote"), "{error}");
}

#[tokio::test]
async fn a_second_server_on_one_sqlite_file_is_refused_and_a_command_is_not() {
    let folder = Folder::new();
    let (file, terms) = (folder.0.join("test.db"), || stores::terms(Rules::default()));
    let first = sqlite(&folder, Rules::default());
    let refused = SqliteStore::open(&file, terms()).unwrap_err().to_string();
    assert!(refused.contains("in use by another server process"), "{refused}");
    assert!(refused.contains("postgres://"), "{refused}");
    #[cfg(unix)]
    {
        let link = folder.0.join("link.db");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let refused = SqliteStore::open(&link, terms()).unwrap_err().to_string();
        assert!(refused.contains("in use by another server process"), "{refused}");
    }
    let command = SqliteStore::beside(&file, terms()).unwrap();
    assert!(command.add_user(user("ann")).await.unwrap());
    assert!(first.user_named("ann".to_owned()).await.unwrap().is_some());
    drop(first);
    stores::open_sqlite(&file, Rules::default()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_has_ended_is_over_for_the_very_next_question() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        let mut askers = JoinSet::new();
        for asker in 0..6_u8 {
            let (store, name) = (Arc::clone(store), *name);
            askers.spawn(async move {
                for number in 0..40 {
                    let (token, row) = family(asker * 40 + number + 1, "ann", 1_000);
                    store.open(row).await.unwrap();
                    let status = async || store.session(token.sid).await.unwrap().unwrap().0.status;
                    assert_eq!(status().await, Status::Active, "{name}");
                    let whose = SessionSelector::Session(token.sid);
                    store.end(whose, Revocation::Logout).await.unwrap();
                    assert_ne!(status().await, Status::Active, "{name}");
                }
            });
        }
        askers.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_command_has_done_counts_for_the_very_next_question() {
    let folder = Folder::new();
    let server = sqlite(&folder, Rules::default());
    let terms = stores::terms(Rules::default());
    let command = SqliteStore::beside(&folder.0.join("test.db"), terms).unwrap();
    assert!(server.add_user(user("ann")).await.unwrap());
    let (token, row) = family(1, "ann", 1_000);
    let id = row.user_id.clone();
    server.open(row).await.unwrap();
    for disabled in [true, false].repeat(50) {
        let change = Change { disabled: Some(disabled), ..Change::default() };
        command.change_user(id.clone(), change).await.unwrap();
        let (_, user) = server.session(token.sid).await.unwrap().unwrap();
        assert_eq!(user.disabled, disabled);
    }
}

#[tokio::test]
async fn a_text_with_a_zero_byte_is_kept_like_any_other() {
    for stores::Tested { name, store, .. } in &stores::all(Rules::default()).await {
        let (token, mut row) = family(1, "ann", 1_000);
        row.device_name = Some("a\0phone".to_owned());
        row.client_id = "\0".to_owned();
        store.open(row.clone()).await.unwrap();
        let (found, _) = store.session(token.sid).await.unwrap().unwrap();
        assert_eq!(
            (found.device_name, found.client_id),
            (row.device_name, row.client_id),
            "{name}"
        );
        assert!(store.user_named("ann\0".to_owned()).await.unwrap().is_none(), "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_database_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let _store = sqlite(&folder, Rules::default());
    for file in std::fs::read_dir(&folder.0).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
}

async fn race(
    store: &Arc<dyn everfresh_server::store::Store>,
    token: &everfresh_server::rotation::RefreshToken,
    key: impl Fn(u32) -> Option<u32>,
) -> (usize, usize) {
    let attempts: Vec<_> = (0..64)
        .map(|number| {
            let (store, token, key) = (Arc::clone(store), token.clone(), key(number));
            tokio::spawn(async move { refresh(&store, &token, key, 1_000).await })
        })
        .collect();
    let (mut advances, mut answers) = (0, HashSet::new());
    for attempt in attempts {
        let outcome = attempt.await.unwrap();
        advances += usize::from(outcome.transition == Transition::Rotated);
        answers.extend(outcome.answer.map(|renewed| renewed.token.encode(&stores::pepper())));
    }
    (advances, answers.len())
}
