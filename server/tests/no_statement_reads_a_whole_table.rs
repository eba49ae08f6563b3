//! Every statement that a server sends finds its rows by an index. A table that grows for years must
//! not make one request slower than another.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod stores;

use everfresh_server::rotation::Rules;
use everfresh_server::store::{PostgresStore, SqliteStore};
use stores::postgres::{database, shared};
use stores::{Folder, postgres_store, sqlite};

/// It is asked for everything, and by the switchboard alone.
const EVERYTHING: &str = "EVERY_SESSION";

#[test]
fn in_sqlite() {
    let folder = Folder::new();
    drop(sqlite(&folder, Rules::default()));
    let connection = rusqlite::Connection::open(folder.0.join("test.db")).unwrap();
    for (name, sql) in SqliteStore::STATEMENTS {
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let (mut lines, mut plan) = (explain.raw_query(), Vec::new());
        while let Some(line) = lines.next().unwrap() {
            plan.push(line.get::<_, String>("detail").unwrap());
        }
        let scans = plan.iter().any(|line| line.starts_with("SCAN"));
        assert_eq!(scans, *name == EVERYTHING, "{name}: {plan:?}");
    }
}

/// Postgres likes to read small tables whole; it is forbidden to, and does it then only if there is
/// no other way.
#[tokio::test]
async fn in_postgres() {
    let url = database();
    drop(postgres_store(&url, Rules::default()).await);
    for (name, sql) in PostgresStore::STATEMENTS {
        let parameters = (1..).take_while(|number| sql.contains(&format!("${number}"))).count();
        let nulls = match vec!["NULL"; parameters].join(", ") {
            nulls if nulls.is_empty() => nulls,
            nulls => format!("({nulls})"),
        };
        let plan = shared().say(
            &url,
            &format!(
                "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; \
                 PREPARE explained AS {sql}; EXPLAIN EXECUTE explained{nulls}"
            ),
        );
        assert_eq!(plan.contains("Seq Scan"), *name == EVERYTHING, "{name}:\n{plan}");
    }
}

#[test]
fn both_lists_hold_all_that_is_sent() {
    for (store, statements) in
        [("sqlite", SqliteStore::STATEMENTS), ("postgres", PostgresStore::STATEMENTS)]
    {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store").join(store);
        for file in std::fs::read_dir(folder).unwrap() {
            let file = file.unwrap().path();
            let name = file.file_name().unwrap().to_str().unwrap();
            // The schema is made once, before the server answers.
            if ["statements.rs", "schema.rs"].contains(&name) {
                continue;
            }
            let source = std::fs::read_to_string(&file).unwrap();
            for word in ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE ", "\"REPLACE "] {
                assert!(!source.contains(word), "{store}/{name} has SQL of its own");
            }
        }
        assert!(statements.len() > 15, "{store}");
    }
}
