//! Real token services and back-end libraries: what each answers to a refresh, run through the engine.
//! `services.rs` is the table, docs/token-services.md tells it to users.

#[path = "../machine/rig.rs"]
mod rig;
mod services;
#[path = "../machine/wire.rs"]
#[allow(dead_code, reason = "the machine's own tests use the rest")]
mod wire;

use everfresh::{
    core::{
        clock::Millis, effect::Outcome, event::Event, grant::TokenResponse, policy::Policy,
        snapshot::Status,
    },
    engine::endpoint::Response,
};

use self::{
    rig::Tab,
    services::{SERVICES, Service, Verdict},
    wire::{Answer, UNREACHABLE, jwt},
};

/// How long the tokens of all services live here, seconds.
const LIFE: i64 = 300;

fn signed_in() -> Tab {
    let mut tab = Tab::new(Policy { jitter: 0, idle: None, ..Policy::default() });
    let tokens = TokenResponse {
        access_token: "access-0".to_owned(),
        refresh_token: Some("refresh-0".to_owned()),
        expires_in: Some(LIFE as f64),
        ..TokenResponse::default()
    };
    tab.start_with(tokens);
    tab
}

fn answer(status: u16, body: &str) -> Answer {
    Some(Response { status, body: body.to_owned(), ..Response::default() })
}

/// A success as this service writes it, number `turn`.
fn success(service: &Service, tab: &Tab, turn: usize) -> Answer {
    let (now, end) = (tab.now.wall / 1_000, tab.now.wall / 1_000 + LIFE);
    let claims = format!(r#"{{"sub":"ana","iat":{now},"exp":{end},"jti":"{turn}"}}"#);
    let body = [
        ("{at}", format!("access-{turn}")),
        ("{jwt}", jwt(&claims)),
        ("{rt}", format!("refresh-{turn}")),
        ("{s}", end.to_string()),
        ("{ms}", (end * 1_000).to_string()),
    ]
    .into_iter()
    .fold(service.success.to_owned(), |body, (name, value)| body.replace(name, &value));
    answer(200, &body)
}

/// The session as it is 55 s before its token ends, with a refresh under way.
fn asked() -> Tab {
    let mut tab = signed_in();
    tab.advance_to_refresh();
    tab.pass(5_000);
    tab
}

#[test]
fn there_are_enough_of_them_and_each_is_there_once() {
    let names: std::collections::BTreeSet<_> = SERVICES.iter().map(|it| it.name).collect();
    assert!(names.len() >= 45 && names.len() == SERVICES.len(), "{}", names.len());
    assert!(SERVICES.iter().all(|it| !it.source.is_empty()));
}

#[test]
fn the_tokens_of_each_are_taken_with_their_lifetime_and_their_user() {
    for service in SERVICES {
        let name = service.name;
        let mut tab = signed_in();
        let mut renewed = "refresh-0".to_owned();
        for turn in 1..4 {
            match service.life {
                // Nothing is scheduled for a token whose end is not known: its 401 asks.
                0 if turn > 1 => {
                    tab.advance(86_400.0);
                    tab.unauthorized(tab.lease_id());
                }
                _ => tab.advance_to_refresh(),
            }
            let carried = tab.requests.last().and_then(|(_, sent)| sent.refresh_token.clone());
            assert_eq!(carried.as_ref(), Some(&renewed), "{name}");
            let answer = success(service, &tab, turn);
            tab.answer(answer);
            let snapshot = tab.snapshot();
            assert_eq!(
                (snapshot.status, snapshot.generation),
                (Status::Active, turn as i64 + 1),
                "{name}"
            );
            let left = snapshot.expires_at.map(|at| at - tab.now.wall);
            // JWTs count in whole seconds.
            assert!(
                match left {
                    None => service.life == 0,
                    Some(left) => (left - service.life * 1_000).abs() <= 1_000,
                },
                "{name}: {left:?}"
            );
            let named = service.success.contains(r#""access_token":"{jwt}""#)
                || service.success.contains(r#""accessToken":"{jwt}""#);
            assert_eq!(snapshot.subject.as_deref(), named.then_some("ana"), "{name}");
            if service.rotates {
                renewed = format!("refresh-{turn}");
            }
        }
        assert_eq!((tab.count("clock-skew"), tab.count("refresh-failed")), (0, 0), "{name}");
    }
}

#[test]
fn each_refusal_has_its_verdict() {
    for service in SERVICES {
        for (status, body, verdict) in service.refusals {
            let told = format!("{} {status} {body}", service.name);
            let mut tab = asked();
            tab.answer(answer(*status, body));
            assert_eq!(tab.ended().is_some(), *verdict == Verdict::Ends, "{told}");
            if *verdict == Verdict::Ends {
                continue;
            }
            let waiter = tab.want_token();
            assert!(matches!(tab.outcome(waiter), Some(Outcome::Token(_))), "{told}: kept in use");
            // Half an hour of nothing else.
            let end = tab.now.monotonic + 1_800_000;
            while tab.ended().is_none() && tab.now.monotonic < end {
                tab.advance_to_refresh();
                tab.answer(answer(*status, body));
            }
            assert_eq!(tab.ended().is_some(), *verdict == Verdict::Doubt, "{told}");
            assert!(tab.now.monotonic >= LIFE * 1_000, "{told}: not while the token was good");
        }
    }
}

#[test]
fn an_outage_of_each_signs_nobody_out_and_makes_no_storm() {
    let outages = [
        answer(503, "<html>Service Unavailable</html>"),
        answer(502, ""),
        answer(500, "{}"),
        UNREACHABLE,
    ];
    for service in SERVICES {
        let mut tab = asked();
        let (before, begun) = (tab.requests.len(), tab.now.monotonic);
        let mut turn = 0;
        while tab.now.monotonic < begun + 3_600_000 {
            tab.answer(outages[turn % outages.len()].clone());
            tab.advance_to_refresh();
            turn += 1;
        }
        // Ten for the waits that double, then one in a minute and a half to three minutes.
        let (least, most) = (3_600 / 180, 10 + 3_600 / 90);
        let sent = tab.requests.len() - before;
        assert!((least..most).contains(&sent), "{}: {sent}", service.name);
        assert_eq!((tab.ended(), tab.status()), (None, Status::Stale), "{}", service.name);
        let answer = success(service, &tab, 1);
        tab.answer(answer);
        assert_eq!(tab.status(), Status::Active, "{}: it comes back", service.name);
    }
}

#[test]
fn who_says_when_to_come_back_is_heard() {
    let mut heard = 0;
    for service in SERVICES {
        let Some((header, is_time)) = service.patience else { continue };
        let mut tab = asked();
        let wait: Millis = 120;
        let value = if is_time { tab.now.wall / 1_000 + wait } else { wait };
        let headers = vec![(header.to_owned(), value.to_string())];
        tab.answer(Some(Response { status: 429, headers, body: "<html>".to_owned() }));
        let failed = tab.events.iter().find_map(|event| match event {
            Event::RefreshFailed { retry_at, .. } => *retry_at,
            _ => None,
        });
        let waits = failed.map(|at| at - tab.now.wall);
        // Times are whole seconds.
        assert!(
            waits.is_some_and(|it| (119_000..=120_000).contains(&it)),
            "{}: {waits:?}",
            service.name
        );
        tab.advance(118.0);
        assert_eq!(tab.requests.len(), 1, "{}", service.name);
        tab.advance(3.0);
        assert_eq!(tab.requests.len(), 2, "{}", service.name);
        heard += 1;
    }
    assert!(heard >= 8, "{heard}");
}

/// Every service of the table is told to users, with what could not be confirmed.
#[test]
fn the_documentation_tells_of_each() {
    let text = include_str!("../../docs/token-services.md");
    for service in SERVICES {
        let row = text.lines().find(|line| line.starts_with(&format!("| {} |", service.name)));
        let row =
            row.unwrap_or_else(|| panic!("docs/token-services.md has no row for {}", service.name));
        assert_eq!(row.contains("`tokens`") || row.contains("preset"), service.mapped, "{row}");
        assert_eq!(row.contains("unconfirmed"), !service.unconfirmed.is_empty(), "{row}");
    }
}
