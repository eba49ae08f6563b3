//! Applications are rendered on servers too: there a session does nothing, and nothing waits for it.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use everfresh::web::{Error, Options, Session, Snapshot, Stats, Status, Tokens};

fn session() -> Session {
    Session::new(Options::new("/oauth/token")).expect("good options")
}

/// What a future comes to the first time it is asked.
fn at_once<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, &'static str> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome.map_err(|error| error.code()),
        Poll::Pending => panic!("it waits, and so would the page that is being rendered"),
    }
}

#[test]
fn its_status_is_unknown_whatever_it_is_told() {
    let session = session();
    let listening = session.subscribe(|_| panic!("nothing changes"));
    let hearing = session.on_event(|_, _| panic!("nothing happens"));
    let tokens =
        Tokens { access_token: "opaque".to_owned(), expires_in: Some(300.0), ..Tokens::default() };
    let start = session.start(tokens).expect("it is not looked at");
    session.touch();
    drop(session.hold());
    start.cancel();
    session.cancel();
    assert_eq!(session.snapshot(), Snapshot::default());
    assert_eq!(session.snapshot().status, Status::Unknown);
    assert!(!session.snapshot().is_signed_in());
    drop((listening, hearing));
}

#[test]
fn all_that_would_wait_fails_at_once() {
    let session = session();
    assert_eq!(at_once(session.restore()), Err("ERR_NO_BROWSER"));
    assert_eq!(at_once(session.refresh()), Err("ERR_NO_BROWSER"));
    assert_eq!(at_once(session.sign_out()), Err("ERR_NO_BROWSER"));
    assert_eq!(at_once(session.sign_out_everywhere()), Err("ERR_NO_BROWSER"));
    let token = at_once(session.access_token(Duration::ZERO));
    assert_eq!(token.map(|token| token.as_str().to_owned()), Err("ERR_NO_BROWSER"));
    let authorized = at_once(session.authorize("https://api.example.com/"));
    assert_eq!(authorized.map(|token| token.is_some()), Err("ERR_NO_BROWSER"));
    let called = session.call(async |_| panic!("it has no token to send"), |()| false);
    assert_eq!(at_once(called), Err("ERR_NO_BROWSER"));
}

#[test]
fn it_can_be_sent_to_another_thread_and_dropped_there() {
    let session = session();
    let clone = session.clone();
    assert_eq!(clone, session);
    let there = thread::spawn(move || clone.snapshot()).join().expect("no panic");
    assert_eq!(there, Snapshot::default());
}

#[test]
fn one_with_functions_of_its_own_calls_none() {
    let session = Session::builder(Options::new("/refresh"))
        .cookies()
        .tokens(|_| panic!("there is no answer"))
        .classify(|_| panic!("there is no answer"))
        .is_unauthorized(async |_| panic!("there is no response"))
        .transport(async |_| panic!("there is no request"))
        .lead_for(|(): ()| panic!("there is no token"))
        .log(|_| panic!("nothing is logged"))
        .build()
        .expect("good options");
    drop(session.start(Tokens::default()).expect("it is not looked at"));
    assert_eq!(at_once(session.restore()), Err("ERR_NO_BROWSER"));
    assert_eq!(session.claims::<()>(), None);
    assert_eq!(session.stats(), Stats::default());
}

#[test]
fn bad_options_are_refused_here_too() {
    let error = Session::new(Options::default()).expect_err("no endpoint");
    assert_eq!(error.code(), "ERR_INVALID_OPTION");
    let builder = Session::builder(Options::new("/refresh")).renewal_header("no header");
    assert_eq!(builder.build().expect_err("a space").code(), "ERR_INVALID_OPTION");
}
