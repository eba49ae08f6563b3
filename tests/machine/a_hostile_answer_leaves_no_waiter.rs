//! A token endpoint, a storage and a channel that say anything at all: every waiter is settled once
//! and within its bound, and the machine's promises hold.

use everfresh::{
    core::{
        grant::TokenResponse,
        ids::{Attempt, LeaseId, WaiterId},
        input::Input,
        policy::Policy,
        record::Record,
    },
    engine::{
        endpoint::{HEADERS, Response},
        formats::Formats,
        native::NativeFormats,
        read_tokens,
        records::Storage,
    },
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    any_sequence_of_inputs_keeps_the_promises::{self as sane, keeps_its_promises, policies},
    rig::Tab,
    wire::jwt,
};

#[derive(Clone, Debug)]
enum Step {
    Sane(sane::Step),
    Answer(Reply),
    Late(Attempt, Reply),
    Start(String),
    HeaderToken(String),
    /// The record's text with other numbers, in storage and on the channel.
    Numbers(Vec<(usize, i64)>),
    Stored(String),
    Said(String),
    Storage(Storage),
    SlowStorage(bool),
    AnswerLoad(usize),
    AnswerStore,
}

/// A response whose `Debug` is short enough to be read.
#[derive(Clone)]
pub(crate) struct Reply(pub(crate) Response);

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Response { status, headers, body } = &self.0;
        write!(f, "{status} {headers:?} {} bytes: {:.400}", body.len(), body)
    }
}

/// A JSON text, or nearly one.
fn values() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "null",
        "true",
        "0",
        "-0.0",
        "1e400",
        "-1e308",
        "9007199254740993",
        "123456789012345678901234567890",
        "\"300\"",
        "\" 3e2 \"",
        "\"NaN\"",
        "\"-Infinity\"",
        "\"\"",
        "\"\u{fffd}\u{fffd}\"",
        "\"\\ud800\"",
        "\"line\\nbreak\"",
        "{\"toString\": 0}",
        "{\"__proto__\": {\"access_token\": \"x\"}}",
        "{\"a\": 1, \"a\": {\"a\": null}}",
        "undefined",
        "[1, 2",
    ]);
    let leaf = prop_oneof![
        6 => odd.prop_map(str::to_owned),
        2 => any::<f64>().prop_map(|number| number.to_string()),
        2 => any::<i64>().prop_map(|number| number.to_string()),
        2 => "[a-z.]{0,8}".prop_map(|text| format!("\"{text}\"")),
        1 => (1..2_000_usize).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth)),
        1 => (1..200_usize).prop_map(|depth| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            vec(inner, 0..4).prop_map(|items| {
                let member = |(at, item): (usize, String)| format!("\"m{}\":{item}", at / 2);
                let members: Vec<_> = items.into_iter().enumerate().map(member).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// An access token: a JWT of anything, or no JWT.
fn tokens() -> impl Strategy<Value = String> {
    let claim = (select(vec!["sub", "exp", "iat", "nbf", "session_expiry", "role"]), values());
    let claims = vec(claim, 0..6).prop_map(|claims| {
        let claims: Vec<_> =
            claims.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        jwt(&format!("{{{}}}", claims.join(",")))
    });
    prop_oneof![
        4 => claims,
        1 => values().prop_map(|value| jwt(&value)),
        1 => "\\PC{0,12}",
        1 => "[a-zA-Z0-9_-]{0,9}(\\.[a-zA-Z0-9_-]{0,9}){0,3}",
        1 => Just(format!("a.{}.c", "e30".repeat(100_000))),
    ]
}

/// A token response with members of any type, each perhaps twice, in any spelling.
pub(crate) fn token_responses() -> impl Strategy<Value = String> {
    let token = tokens().prop_map(|token| NativeFormats::write_object(&[("t", &token)]));
    let token = token.prop_map(|object| object[5..object.len() - 1].to_owned());
    let member = prop_oneof![
        3 => (select(vec!["access_token", "accessToken"]), prop_oneof![4 => token.boxed(), 1 => values().boxed()]),
        1 => (select(vec!["refresh_token", "refreshToken", "error", "error_code", "code", "token_type"]), values().boxed()),
        3 => (
            select(vec!["expires_in", "expiresIn", "expires_at", "refresh_in", "session_expires_in"]),
            prop_oneof![2 => (0..600_u32).prop_map(|seconds| seconds.to_string()), 1 => values()].boxed(),
        ),
    ];
    vec(member, 0..7).prop_map(|members| {
        let members: Vec<_> =
            members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

fn bodies() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => token_responses(),
        3 => values(),
        1 => "\\PC{0,40}",
        1 => select(vec!["", "\u{feff}{}", "<html>", "{\"access_token\":\"a\u{fffd}\",\"expires_in\":9}"])
            .prop_map(str::to_owned),
        1 => (0..2_u32).prop_map(|quoted| match quoted {
            0 => "[".repeat(2 << 20),
            _ => format!("{{\"access_token\":\"{}\",\"expires_in\":300}}", "x".repeat(2 << 20)),
        }),
        1 => select(vec!["invalid_grant", "server_error", "", "temporarily_unavailable"])
            .prop_map(|error| format!("{{\"error\":\"{error}\",\"error_code\":\"superseded\"}}")),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let times = select(vec![
        "0",
        "7",
        "-1",
        "1e9",
        "99999999999999999999999",
        "",
        "soon",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT",
        "Thu, 01 Jan 2026 00:01:00 GMT",
    ]);
    vec((select(HEADERS.to_vec()), times), 0..3).prop_map(|headers| {
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    })
}

pub(crate) fn replies() -> impl Strategy<Value = Reply> {
    let statuses = prop_oneof![
        4 => Just(200),
        1 => Just(204),
        2 => select(vec![0, 302, 304, 400, 401, 403, 404, 408, 418, 429, 500, 503, 599]),
        1 => any::<u16>(),
    ];
    (statuses, headers(), bodies())
        .prop_map(|(status, headers, body)| Reply(Response { status, headers, body }))
}

fn numbers() -> impl Strategy<Value = Vec<(usize, i64)>> {
    let number = prop_oneof![
        select(vec![i64::MIN, i64::MAX, -1, 0, 1, 1 << 60, -(1 << 60), u32::MAX.into()]),
        any::<i64>(),
    ];
    vec((1..40_usize, number), 1..6)
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => sane::steps().prop_map(Step::Sane),
        16 => replies().prop_map(Step::Answer),
        2 => ((0..20_u32), replies()).prop_map(|(attempt, reply)| Step::Late(Attempt(attempt), reply)),
        3 => token_responses().prop_map(Step::Start),
        3 => tokens().prop_map(Step::HeaderToken),
        3 => numbers().prop_map(Step::Numbers),
        2 => prop_oneof!["(everfresh 1\n)?(\\PC|\n){0,40}", values()].prop_map(Step::Stored),
        2 => prop_oneof!["(everfresh 1\n)?(\\PC|\n){0,40}", values()].prop_map(Step::Said),
        1 => select(vec![Storage::Memory, Storage::Session, Storage::Local, Storage::Custom])
            .prop_map(Step::Storage),
        2 => any::<bool>().prop_map(Step::SlowStorage),
        4 => (0..4_usize).prop_map(Step::AnswerLoad),
        4 => Just(Step::AnswerStore),
    ]
}

fn read(text: &str) -> Option<TokenResponse> {
    read_tokens::<NativeFormats>(&NativeFormats::parse_json(text)?)
}

fn take(tab: &mut Tab, step: Step) {
    match step {
        Step::Sane(step) => sane::take(tab, step),
        Step::Answer(Reply(response)) if !tab.sent.is_empty() => tab.answer(Some(response)),
        Step::Late(attempt, Reply(response)) => {
            if tab.sent.iter().all(|(sent, _)| *sent != attempt) {
                tab.answer_to(attempt, Some(response));
            }
        }
        Step::Start(text) => {
            if let Some(tokens) = read(&text) {
                // Whether it is taken or refused: nothing else may come of it.
                let _ = tab.try_start(tokens);
            }
        }
        Step::HeaderToken(token) => {
            let lease = tab.lease.as_ref().map_or(LeaseId(1), |lease| lease.id);
            let _ = tab.try_adopt(token, lease);
        }
        Step::Numbers(changes) => {
            let text = tab.store.borrow().clone().unwrap_or_default();
            let mut lines: Vec<_> = text.split('\n').map(str::to_owned).collect();
            for (line, number) in changes {
                if let Some(line) = lines.get_mut(line) {
                    *line = number.to_string();
                }
            }
            let text = lines.join("\n");
            *tab.store.borrow_mut() = Some(text.clone());
            tab.record_changed();
            tab.hear(&text);
        }
        Step::Stored(text) => {
            *tab.store.borrow_mut() = Some(text);
            tab.record_changed();
        }
        Step::Said(text) => tab.hear(&text),
        Step::Storage(storage) => tab.keep_tokens(storage),
        Step::SlowStorage(slow) => tab.slow_storage = slow,
        Step::AnswerLoad(place) if place < tab.loads.len() => tab.answer_load(place),
        Step::AnswerStore if !tab.stores.is_empty() => tab.answer_store(),
        Step::Answer(_) | Step::AnswerLoad(_) | Step::AnswerStore => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_any_shape(policy in policies(), wait in 1_000..60_000_i64, steps in vec(steps(), 1..50)) {
        let mut tab = Tab::new(Policy { wait: Some(wait), ..policy });
        for step in steps {
            take(&mut tab, step);
            keeps_its_promises(&tab)?;
        }
        // Nothing answers any more.
        tab.advance(120.0);
        prop_assert_eq!(tab.waiting(), Vec::<WaiterId>::new(), "settled within their bounds");
    }

    #[test]
    fn nor_anything_that_goes_on_after_a_cancel(policy in policies(), steps in vec(steps(), 1..30)) {
        let mut tab = Tab::new(policy);
        for step in steps {
            take(&mut tab, step);
        }
        tab.feed(Input::Cancel(None));
        let requests = tab.requests.len();
        for _ in 0..10 {
            while !tab.loads.is_empty() {
                tab.answer_load(0);
            }
            while !tab.stores.is_empty() {
                tab.answer_store();
            }
            tab.advance(300.0);
            prop_assert!(tab.lease.is_none() && tab.sent.is_empty() && tab.locks_held == 0);
        }
        prop_assert_eq!(tab.requests.len(), requests, "no refresh after cancel");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nor_more_refreshes_than_the_floor_allows_nor_a_record_that_cannot_be_read(
        answers in vec((replies(), prop_oneof![Just(0), -90_000_000..0_i64]), 1..40),
    ) {
        let mut tab = Tab::new(Policy { idle: None, ..Policy::default() });
        tab.start(300);
        let mut last = None;
        for (Reply(response), jump) in answers {
            // An end has no refresh after it, and a made-up lifetime of years none soon.
            for _ in 0..200 {
                let wait = tab.wait().filter(|wait| *wait < 100_000_000_000);
                let (true, Some(wait)) = (tab.sent.is_empty(), wait) else { break };
                tab.pass(wait);
                tab.feed(Input::TimerFired);
            }
            if tab.sent.is_empty() {
                break;
            }
            let now = tab.now.monotonic;
            let generation = tab.snapshot().generation;
            if let Some((at, before)) = last && before != generation {
                prop_assert!(now - at >= 5_000, "{} ms after the last one", now - at);
            }
            last = Some((now, generation));
            tab.now.wall += jump;
            tab.answer(Some(response));
            let text = tab.store.borrow().clone().unwrap_or_default();
            prop_assert!(text.len() < 3 << 20);
            prop_assert!(Record::decode(&text).is_some(), "what is stored can be read");
            if tab.ended().is_some() {
                break;
            }
        }
    }
}
