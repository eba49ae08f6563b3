//! How long a token still lives: what its times say, and what is known of the server's clock.

use everfresh::core::grant::TokenResponse;
use everfresh::core::{
    clock::{Millis, Now},
    effect::Outcome,
    event::Event,
    policy::Policy,
    snapshot::Status,
};

use crate::{
    rig::{EPOCH, Tab},
    wire::{Answer, granted, jwt},
};

fn policy() -> Policy {
    Policy { jitter: 0, idle: None, ..Policy::default() }
}

/// A server with a clock of its own.
struct Server {
    /// Its clock minus the tab's, milliseconds.
    ahead: Millis,
    lifetime: Millis,
    says_date: bool,
    tokens: u32,
}

impl Server {
    const fn new(ahead: Millis) -> Self {
        Self { ahead, lifetime: 300_000, says_date: false, tokens: 0 }
    }

    fn now(&self, tab: &Tab) -> Millis {
        tab.now.wall + self.ahead
    }

    /// Tokens of a sign-in at `since`, with the `iat` that the service writes.
    fn tokens(&mut self, tab: &Tab, iat: Option<Millis>, claims: &str) -> TokenResponse {
        self.tokens += 1;
        let exp = (self.now(tab) + self.lifetime) / 1_000;
        let iat = iat.map_or(String::new(), |iat| format!(r#","iat":{}"#, iat / 1_000));
        let access_token =
            jwt(&format!(r#"{{"sub":"ana","exp":{exp},"jti":"{}"{iat}{claims}}}"#, self.tokens));
        let refresh_token = Some(format!("refresh-{}", self.tokens));
        TokenResponse { access_token, refresh_token, ..TokenResponse::default() }
    }

    fn answer(&mut self, tab: &Tab, iat: Option<Millis>, claims: &str) -> Answer {
        let mut answer = granted(&self.tokens(tab, iat, claims))?;
        if self.says_date {
            let seconds = u64::try_from(self.now(tab) / 1_000).ok()?;
            let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            answer.headers.push(("date".to_owned(), httpdate::fmt_http_date(at)));
        }
        Some(answer)
    }
}

/// Lives for this long, answering each refresh; gives how many there were.
fn live(tab: &mut Tab, seconds: Millis, mut answer: impl FnMut(&Tab) -> Answer) -> usize {
    let (before, end) = (tab.requests.len(), tab.now.monotonic + seconds * 1_000);
    while tab.now.monotonic < end {
        let wait = tab.wait().unwrap_or(Millis::MAX).min(end - tab.now.monotonic);
        tab.pass(wait);
        tab.feed(everfresh::core::input::Input::TimerFired);
        if !tab.sent.is_empty() {
            let answer = answer(tab);
            tab.answer(answer);
        }
    }
    tab.requests.len() - before
}

fn skews(tab: &Tab) -> Vec<Millis> {
    let skew = |event: &Event| match event {
        Event::ClockSkew { skew } => Some(skew / 1_000),
        _ => None,
    };
    tab.events.iter().filter_map(skew).collect()
}

#[test]
fn a_time_of_issue_that_stands_still_says_nothing_of_the_clock() {
    let (mut tab, mut server) = (Tab::new(policy()), Server::new(0));
    let sign_in = EPOCH;
    let tokens = server.tokens(&tab, Some(sign_in), "");
    tab.start_with(tokens);
    // Six hours of tokens that keep the `iat` of the sign-in.
    let refreshes = live(&mut tab, 6 * 3_600, |tab| server.answer(tab, Some(sign_in), ""));
    assert!((88..=92).contains(&refreshes), "{refreshes}");
    assert_eq!(skews(&tab), Vec::<Millis>::new());
    let left = tab.snapshot().expires_at.map(|at| at - tab.now.wall);
    assert!(left.is_some_and(|left| left > 0 && left <= 300_000));
}

#[test]
fn nor_does_that_of_a_token_from_a_cache() {
    let (mut tab, mut server) = (Tab::new(policy()), Server::new(0));
    let tokens = server.tokens(&tab, Some(EPOCH), "");
    tab.start_with(tokens);
    let mut kept: Option<(Millis, TokenResponse)> = None;
    let cached = |tab: &Tab| {
        let fresh = kept.as_ref().is_some_and(|(at, _)| tab.now.wall - at < 200_000);
        if !fresh {
            kept = Some((tab.now.wall, server.tokens(tab, Some(tab.now.wall), "")));
        }
        granted(&kept.as_ref()?.1)
    };
    let refreshes = live(&mut tab, 3_600, cached);
    assert!(refreshes <= 40, "{refreshes}");
    assert_eq!(skews(&tab), Vec::<Millis>::new());
    let mut next = tab.want_token_for(30_000);
    for _ in 0..3 {
        let expires = tab.snapshot().expires_at.unwrap_or_default();
        assert!(expires - tab.now.wall <= 300_000, "never longer than what is left of it");
        tab.advance(1.0);
        next = tab.want_token_for(0);
    }
    assert!(tab.outcome(next).is_some());
}

#[test]
fn a_time_of_issue_that_moves_with_the_clock_is_the_servers_time() {
    for ahead in [-7_200_000, -100_000, 0, 100_000, 7_200_000] {
        let (mut tab, mut server) = (Tab::new(policy()), Server::new(ahead));
        let tokens = server.tokens(&tab, Some(server.now(&tab)), "");
        tab.start_with(tokens);
        let refreshes = live(&mut tab, 6 * 3_600, |tab| {
            let now = server.now(tab);
            server.answer(tab, Some(now), "")
        });
        assert!((88..=93).contains(&refreshes), "{ahead}: {refreshes}");
        let expected: &[Millis] = if ahead == 0 { &[] } else { &[ahead / 1_000] };
        assert_eq!(skews(&tab), expected);
    }
}

#[test]
fn the_date_of_an_answer_is_the_servers_time() {
    for ahead in [-7_200_000, 0, 7_200_000] {
        let (mut tab, mut server) = (Tab::new(policy()), Server::new(ahead));
        server.says_date = true;
        let tokens = TokenResponse { expires_in: Some(300.0), ..server.tokens(&tab, None, "") };
        tab.start_with(tokens);
        let refreshes = live(&mut tab, 6 * 3_600, |tab| server.answer(tab, None, ""));
        assert!((88..=93).contains(&refreshes), "{ahead}: {refreshes}");
        let expected: &[Millis] = if ahead == 0 { &[] } else { &[ahead / 1_000] };
        assert_eq!(skews(&tab), expected);
    }
}

#[test]
fn a_token_that_was_just_received_and_looks_expired_is_used_until_a_401() {
    let (mut tab, mut server) = (Tab::new(policy()), Server::new(-7_200_000));
    let tokens = server.tokens(&tab, None, "");
    tab.start_with(tokens);
    // Ten minutes of work against a server that refuses what is expired.
    let mut expires = server.now(&tab) + 300_000;
    let (mut requests, mut unauthorized) = (0, 0);
    for _ in 0..600 {
        if !tab.sent.is_empty() {
            let answer = server.answer(&tab, None, "");
            expires = server.now(&tab) + 300_000;
            tab.answer(answer);
        }
        let waiter = tab.want_token();
        if let Some(Outcome::Token(lease)) = tab.outcome(waiter).cloned() {
            requests += 1;
            if server.now(&tab) >= expires {
                unauthorized += 1;
                tab.unauthorized(lease.id);
            }
        }
        tab.advance(1.0);
    }
    assert!(tab.requests.len() <= 3, "{} refreshes", tab.requests.len());
    assert!(requests > 590 && unauthorized <= 2, "{requests} requests, {unauthorized} times 401");
    assert_eq!((tab.status(), skews(&tab)), (Status::Active, vec![-6_900]));
}

#[test]
fn without_a_refresh_token_a_fast_clock_signs_nobody_out_who_has_just_signed_in() {
    let (mut tab, mut server) = (Tab::new(policy()), Server::new(-7_200_000));
    for iat in [None, Some(server.now(&tab))] {
        let tokens = TokenResponse { refresh_token: None, ..server.tokens(&tab, iat, "") };
        tab.start_with(tokens);
        tab.advance(60.0);
        assert_eq!(tab.status(), Status::Active);
        let waiter = tab.want_token();
        assert!(matches!(tab.outcome(waiter), Some(Outcome::Token(_))));
    }
}

#[test]
fn the_end_of_the_session_is_read_by_the_servers_clock_and_never_by_a_time_of_issue_that_stands() {
    let (mut tab, mut server) = (Tab::new(policy()), Server::new(0));
    let end = format!(r#","session_expiry":{}"#, (EPOCH + 4 * 3_600_000) / 1_000);
    let tokens = server.tokens(&tab, Some(EPOCH), &end);
    tab.start_with(tokens);
    live(&mut tab, 3_000, |tab| server.answer(tab, Some(EPOCH), &end));
    assert_eq!(tab.snapshot().ends_at, Some(EPOCH + 4 * 3_600_000));
}

#[test]
fn whatever_the_clocks_say_there_are_no_more_refreshes_than_the_floor_allows() {
    for ahead in [-86_400_000, -301_000, -299_000, -295_000, 295_000, 86_400_000] {
        for has_iat in [false, true] {
            let (mut tab, mut server) = (Tab::new(policy()), Server::new(ahead));
            let iat = |server: &Server, tab: &Tab| Some(server.now(tab)).filter(|_| has_iat);
            let tokens = server.tokens(&tab, iat(&server, &tab), "");
            tab.start_with(tokens);
            let mut jump = 0;
            let refreshes = live(&mut tab, 600, |tab| {
                jump += 1;
                let iat = iat(&server, tab);
                server.answer(tab, iat, "")
            });
            assert!(refreshes <= 600 / 5 + 1 && jump == refreshes, "{ahead}: {refreshes}");
        }
    }
}

#[test]
fn a_clock_that_is_set_right_is_learnt_again() {
    let (mut tab, mut server) = (Tab::new(policy()), Server::new(-7_200_000));
    let tokens = server.tokens(&tab, Some(server.now(&tab)), "");
    tab.start_with(tokens);
    live(&mut tab, 900, |tab| {
        let now = server.now(tab);
        server.answer(tab, Some(now), "")
    });
    tab.now = Now { wall: tab.now.wall - 7_200_000, ..tab.now };
    server.ahead = 0;
    let refreshes = live(&mut tab, 3_000, |tab| {
        let now = server.now(tab);
        server.answer(tab, Some(now), "")
    });
    assert!(refreshes <= 14, "{refreshes}");
    assert_eq!(skews(&tab), [-7_200, 0]);
}
