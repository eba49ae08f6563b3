use super::{super::native::NativeFormats, *};
use crate::core::reason::RefreshReason;

/// 2026-01-01, in milliseconds.
const NOW: Millis = 1_767_225_600_000;

const FORM: &str = "application/x-www-form-urlencoded;charset=UTF-8";

fn of(style: Style) -> Endpoint {
    Endpoint { style, url: "https://auth.test/token".to_owned(), ..Endpoint::default() }
}

fn refresh(endpoint: &Endpoint) -> Request {
    endpoint.refresh::<NativeFormats>(&RefreshRequest {
        access_token: Some("access-1".to_owned()),
        refresh_token: Some("refresh 1&+ü".to_owned()),
        rotation_key: "key-1".to_owned(),
        reason: RefreshReason::Scheduled,
        last_activity_at: 0,
    })
}

fn revoke(endpoint: &Endpoint, refresh_token: Option<&str>, everywhere: bool) -> Request {
    let request = RevokeRequest {
        access_token: Some("access-1".to_owned()),
        refresh_token: refresh_token.map(str::to_owned),
        everywhere,
    };
    endpoint.revoke::<NativeFormats>(&request).expect("it has a revocation endpoint")
}

fn revocable(style: Style) -> Endpoint {
    Endpoint { revoke_url: Some("https://auth.test/revoke".to_owned()), ..of(style) }
}

fn headers(request: &Request) -> Vec<(&str, &str)> {
    request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn oauth2_is_a_form_without_a_preflight() {
    let params = owned(&[("scope", "a b")]);
    let endpoint = Endpoint { client_id: Some("app".to_owned()), params, ..of(Style::OAuth2) };
    let request = refresh(&endpoint);
    assert_eq!(request.url, "https://auth.test/token");
    assert_eq!(headers(&request), [("Accept", "application/json"), ("Content-Type", FORM)]);
    assert_eq!(
        request.body.as_deref(),
        Some(
            "grant_type=refresh_token&refresh_token=refresh+1%26%2B%C3%BC&client_id=app&scope=a+b&\
             rotation_key=key-1"
        )
    );
    assert_eq!(request.credentials, Credentials::SameOrigin);
}

#[test]
fn json_is_an_object_of_texts() {
    let endpoint = Endpoint { params: owned(&[("a\"", "\\\n\u{1}")]), ..of(Style::Json) };
    let request = refresh(&endpoint);
    let types = [("Accept", "application/json"), ("Content-Type", "application/json")];
    assert_eq!(headers(&request), types);
    let body: serde_json::Value = serde_json::from_str(&request.body.unwrap()).unwrap();
    let fields = serde_json::json!({ "refresh_token": "refresh 1&+ü", "a\"": "\\\n\u{1}" });
    assert_eq!(body, fields);
}

#[test]
fn json_may_be_of_another_type() {
    let endpoint = Endpoint {
        headers: owned(&[("content-type", "application/x-amz-json-1.1")]),
        ..of(Style::Json)
    };
    let types = [("Accept", "application/json"), ("content-type", "application/x-amz-json-1.1")];
    assert_eq!(headers(&refresh(&endpoint)), types);
}

#[test]
fn cookie_and_renew_have_no_body() {
    let cookie = refresh(&of(Style::Cookie));
    assert_eq!(
        headers(&cookie),
        [("Accept", "application/json"), ("X-Everfresh", "1"), ("Idempotency-Key", "key-1")]
    );
    assert_eq!((cookie.body, cookie.credentials), (None, Credentials::Include));
    let renew = refresh(&of(Style::Renew));
    assert_eq!(
        headers(&renew),
        [
            ("Accept", "application/json"),
            ("Authorization", "Bearer access-1"),
            ("Idempotency-Key", "key-1")
        ]
    );
    assert_eq!((renew.body, renew.credentials), (None, Credentials::SameOrigin));
}

#[test]
fn to_another_origin_goes_no_header_of_ours_unless_it_is_asked_for() {
    for style in [Style::Cookie, Style::Renew] {
        let endpoint = Endpoint { foreign: true, revoke_foreign: true, ..revocable(style) };
        for request in [refresh(&endpoint), revoke(&endpoint, None, false)] {
            let names = request.headers.iter().map(|(name, _)| name.as_str());
            let ours = |name: &&str| ["X-Everfresh", "Idempotency-Key"].contains(name);
            assert_eq!(names.filter(ours).count(), 0, "{style:?}");
        }
    }
    let asked = Endpoint {
        foreign: true,
        rotation_key: Some(Carrier::Header),
        headers: owned(&[("X-Everfresh", "1")]),
        ..of(Style::Cookie)
    };
    let expected =
        [("Accept", "application/json"), ("X-Everfresh", "1"), ("Idempotency-Key", "key-1")];
    assert_eq!(headers(&refresh(&asked)), expected);
}

#[test]
fn the_rotation_key_travels_as_asked_or_not_at_all() {
    for (style, carrier, in_body, in_headers) in [
        (Style::OAuth2, Carrier::Header, false, true),
        (Style::OAuth2, Carrier::Off, false, false),
        (Style::Json, Carrier::Header, false, true),
        (Style::Cookie, Carrier::Param, true, false),
        (Style::Cookie, Carrier::Off, false, false),
        (Style::Renew, Carrier::Param, true, false),
    ] {
        let request = refresh(&Endpoint { rotation_key: Some(carrier), ..of(style) });
        let body = request.body.as_deref().unwrap_or_default();
        let found = (
            body.contains("rotation_key") && body.contains("key-1"),
            headers(&request).contains(&("Idempotency-Key", "key-1")),
        );
        assert_eq!(found, (in_body, in_headers), "{style:?} {carrier:?}");
    }
}

#[test]
fn headers_of_the_application_are_kept_where_the_style_has_none_of_its_own() {
    let own = owned(&[
        ("accept", "text/html"),
        ("AUTHORIZATION", "Basic eA=="),
        ("X-A", "1"),
        ("x-a", "2"),
    ]);
    let request = refresh(&Endpoint { headers: own.clone(), ..of(Style::OAuth2) });
    let kept = [
        ("Accept", "text/html"),
        ("AUTHORIZATION", "Basic eA=="),
        ("X-A", "2"),
        ("Content-Type", FORM),
    ];
    assert_eq!(headers(&request), kept);
    let request = refresh(&Endpoint { headers: own, ..of(Style::Renew) });
    assert!(headers(&request).contains(&("AUTHORIZATION", "Bearer access-1")));
}

#[test]
fn parameters_of_the_application_do_not_replace_the_rotation_key() {
    let params = owned(&[("rotation_key", "mine"), ("grant_type", "urn:x")]);
    let request = refresh(&Endpoint { params, ..of(Style::OAuth2) });
    let body = request.body.unwrap();
    assert!(
        body.starts_with("grant_type=urn%3Ax&") && body.ends_with("&rotation_key=key-1"),
        "{body}"
    );
}

#[test]
fn credentials_are_the_applications_choice() {
    for style in [Style::OAuth2, Style::Json, Style::Cookie, Style::Renew] {
        for chosen in [Credentials::Omit, Credentials::SameOrigin, Credentials::Include] {
            let endpoint = Endpoint { credentials: Some(chosen), ..revocable(style) };
            assert_eq!(refresh(&endpoint).credentials, chosen);
            assert_eq!(revoke(&endpoint, None, false).credentials, chosen);
        }
    }
}

#[test]
fn a_revocation_is_as_rfc_7009_says() {
    for style in [Style::OAuth2, Style::Json] {
        let endpoint = Endpoint { client_id: Some("app".to_owned()), ..revocable(style) };
        let request = revoke(&endpoint, Some("refresh-1"), false);
        assert_eq!(request.url, "https://auth.test/revoke");
        assert_eq!(headers(&request), [("Accept", "application/json"), ("Content-Type", FORM)]);
        let form = "token=refresh-1&token_type_hint=refresh_token&client_id=app";
        assert_eq!(request.body.as_deref(), Some(form));
        let request = revoke(&endpoint, None, true);
        let form = "token=access-1&token_type_hint=access_token&client_id=app&everywhere=true";
        assert_eq!(request.body.as_deref(), Some(form));
    }
}

#[test]
fn where_refreshes_have_no_body_sign_out_calls_the_logout_endpoint() {
    for (style, credentials) in [
        (Style::Cookie, Credentials::Include),
        (Style::Renew, Credentials::SameOrigin),
        (Style::Function, Credentials::SameOrigin),
    ] {
        let request = revoke(&revocable(style), Some("refresh-1"), false);
        assert_eq!(
            headers(&request),
            [
                ("Accept", "application/json"),
                ("X-Everfresh", "1"),
                ("Authorization", "Bearer access-1")
            ]
        );
        assert_eq!((request.body, request.credentials), (None, credentials), "{style:?}");
        let everywhere = revoke(&revocable(style), None, true);
        assert_eq!(everywhere.body.as_deref(), Some("everywhere=true"));
    }
}

#[test]
fn without_a_revocation_endpoint_nothing_is_sent() {
    let request = RevokeRequest { access_token: None, refresh_token: None, everywhere: false };
    assert_eq!(of(Style::OAuth2).revoke::<NativeFormats>(&request), None);
}

fn response(status: u16, body: &str) -> Response {
    Response { status, body: body.to_owned(), ..Response::default() }
}

fn tokens(body: &str) -> Option<TokenResponse> {
    match response(200, body).judge::<NativeFormats>(NOW) {
        Judged::Tokens(tokens) => Some(tokens),
        Judged::Refused(..) => None,
    }
}

#[test]
fn tokens_are_read_in_either_spelling() {
    let snake = r#"{"access_token":"a","refresh_token":"r","expires_in":300,"refresh_in":"200",
        "session_expires_in":1.5}"#;
    let camel = r#"{"accessToken":"a","refreshToken":"r","expiresIn":3e2,"refreshIn":" 200 ",
        "sessionExpiresIn":1.5,"other":[{}]}"#;
    for body in [snake, camel] {
        let tokens = tokens(body).unwrap();
        assert_eq!(
            (tokens.access_token.as_str(), tokens.refresh_token.as_deref()),
            ("a", Some("r"))
        );
        let times = (tokens.expires_in, tokens.refresh_in, tokens.session_expires_in);
        assert_eq!(times, (Some(300.0), Some(200.0), Some(1.5)));
    }
    let both =
        tokens(r#"{"access_token":"old","accessToken":"new","expiresIn":null,"expires_in":9}"#);
    let both = both.map(|tokens| (tokens.access_token, tokens.expires_in));
    assert_eq!(both, Some(("new".to_owned(), Some(9.0))));
}

#[test]
fn what_is_no_text_is_no_token_and_what_is_no_number_no_time() {
    let no_token = Some("\0");
    let odd = tokens(r#"{"access_token":7,"refresh_token":{"toString":0},"expires_in":[300]}"#);
    let odd = odd.unwrap();
    assert_eq!((odd.access_token.as_str(), odd.refresh_token.as_deref()), ("\0", no_token));
    assert!(odd.expires_in.is_some_and(f64::is_nan));
    for nothing in ["null", "false", "\"\""] {
        let bare = tokens(&format!(
            r#"{{"access_token":"a","refresh_token":{nothing},"expires_in":{nothing},"token_type":{nothing}}}"#
        ));
        let bare = bare.unwrap();
        assert_eq!((bare.refresh_token, bare.expires_in, bare.token_type), (None, None, None));
    }
    let minutes = tokens(r#"{"access_token":"a","expires_in":"5m"}"#).unwrap();
    assert!(minutes.expires_in.is_some_and(f64::is_nan), "not 5");
    let twice = tokens(r#"{"access_token":"a","access_token":"b"}"#).unwrap();
    assert_eq!(twice.access_token, "b", "as in browsers the last one counts");
}

#[test]
fn a_success_without_an_object_brings_nothing() {
    let (deep, long) = ("[".repeat(100_000), format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BODY)));
    for body in
        ["", "<html>", "null", "7", "\"text\"", "[]", "{", "{}{}", "{}", "\u{feff}{}", &deep, &long]
    {
        assert!(tokens(body).is_none(), "{:.20}", body);
    }
}

#[test]
fn a_redirect_brings_nothing() {
    let body = r#"{"access_token":"a","expires_in":300}"#;
    for status in [0, 199, 300, 302, 304, 399] {
        let judged = response(status, body).judge::<NativeFormats>(NOW);
        assert!(matches!(judged, Judged::Refused(..)), "{status}");
    }
}

fn refusal(status: u16, body: &str) -> (Refusal, Refused) {
    match response(status, body).judge::<NativeFormats>(NOW) {
        Judged::Refused(refusal, refused) => (refusal, refused),
        Judged::Tokens(_) => panic!("{status} brings no tokens"),
    }
}

#[test]
fn codes_are_found_wherever_services_put_them() {
    for (body, expected) in [
        (
            r#"{"error":"invalid_grant","error_code":"reuse_detected"}"#,
            &["invalid_grant", "reuse_detected"][..],
        ),
        (r#"{"error":{"code":400,"message":"TOKEN_EXPIRED"}}"#, &["token_expired"]),
        (r#"{"error":{"code":"Session-Expired"}}"#, &["session_expired"]),
        (r#"{"code":400,"error_code":"user_banned"}"#, &["user_banned"]),
        (r#"{"code":"token_not_valid","detail":"Token is blacklisted"}"#, &["token_not_valid"]),
        (r#"{"errors":[{"extensions":{"code":"USER_SUSPENDED"}},{}]}"#, &["user_suspended"]),
        (r#"{"errors":[]}"#, &[""]),
        (r#"{"error":{"code":1},"error_code":null}"#, &[""]),
        (r#"{"error":"","code":false,"errors":null}"#, &[]),
        (r#"{"error":"a","error":"b"}"#, &["b"]),
        (r#"{"ok":true}"#, &[]),
        ("<html>", &[]),
        ("", &[]),
    ] {
        for status in [200, 400, 401, 404, 503, u16::MAX] {
            let (refusal, refused) = refusal(status, body);
            assert_eq!(refusal.words, expected, "{body}");
            assert_eq!((refusal.status, refused.status), (status, status));
            assert_eq!((refusal.is_page, refusal.retry_after), (body == "<html>", None));
        }
    }
}

#[test]
fn what_people_are_told_of_it_is_short() {
    let (long, body) = ("é".repeat(500), r#"{"error":"A-b","error_description":"gone"}"#);
    let (_, refused) = refusal(400, body);
    assert_eq!((refused.error.as_str(), refused.description.as_str()), ("A-b", "gone"));
    let (told, refused) =
        refusal(400, &format!(r#"{{"error":"{long}","error_description":"{long}"}}"#));
    assert_eq!((refused.error.len(), refused.description.len()), (400, 400));
    assert_eq!(told.words[0].len(), 400);
}

fn retry_after(headers: &[(&str, &str)]) -> Option<Millis> {
    let response = Response { status: 429, headers: owned(headers), ..Response::default() };
    match response.judge::<NativeFormats>(NOW) {
        Judged::Refused(refusal, _) => refusal.retry_after,
        Judged::Tokens(_) => panic!("429 is no success"),
    }
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let at = |seconds| [("retry-after", seconds)];
    for (value, expected) in [
        ("0", Some(0)),
        ("20", Some(20_000)),
        ("Thu, 01 Jan 2026 00:00:20 GMT", Some(20_000)),
        ("Thursday, 01-Jan-26 00:00:20 GMT", Some(20_000)),
        ("Thu Jan  1 00:00:20 2026", Some(20_000)),
        ("Wed, 31 Dec 2025 23:00:00 GMT", Some(0)),
    ] {
        assert_eq!(retry_after(&at(value)), expected, "{value}");
    }
    for junk in
        ["", " ", "soon", "-5", "+5", "5s", "1.5", "0x10", "1e3", "Thu, 99 Jan 2026 00:00:20 GMT"]
    {
        assert_eq!(retry_after(&at(junk)), None, "{junk}");
    }
    assert_eq!(retry_after(&[]), None);
}

#[test]
fn a_number_that_is_too_long_for_seconds_is_a_time() {
    assert_eq!(retry_after(&[("retry-after", "1767225620")]), Some(20_000));
    assert_eq!(retry_after(&[("retry-after", "1767225600")]), Some(0));
    assert_eq!(retry_after(&[("retry-after", "1767220000")]), Some(0));
    assert_eq!(retry_after(&[("retry-after", "1000000000")]), Some(0));
    assert_eq!(retry_after(&[("retry-after", "999999999")]), Some(999_999_999_000));
    let long = "9".repeat(400);
    assert!(retry_after(&[("retry-after", &long)]).is_some_and(|wait| wait > 1 << 48));
}

#[test]
fn services_say_in_other_headers_too_when_to_come_back() {
    let (time, date) = ("1767225620", ("date", "Thu, 01 Jan 2026 00:00:10 GMT"));
    for (name, value, expected) in [
        ("x-retry-after", "20", 20_000),
        ("x-ratelimit-reset", time, 20_000),
        ("x-rate-limit-reset", time, 20_000),
        ("x-rate-limit-reset", "20", 20_000),
        ("x-retry-not-before", time, 20_000),
    ] {
        assert_eq!(retry_after(&[(name, value)]), Some(expected), "{name}");
        assert_eq!(retry_after(&[(name, value), ("retry-after", "5")]), Some(5_000), "{name}");
        let headers = owned(&[(name, value)]);
        let other = Response { status: 503, headers, ..Response::default() };
        assert_eq!(other.retry_after::<NativeFormats>(NOW), None, "it is about another limit");
    }
    assert_eq!(retry_after(&[date, ("x-ratelimit-reset", time)]), Some(10_000));
}

#[test]
fn a_date_is_counted_on_the_servers_clock_where_that_shows() {
    let later = ("retry-after", "Thu, 01 Jan 2026 01:00:20 GMT");
    assert_eq!(retry_after(&[("date", "Thu, 01 Jan 2026 01:00:00 GMT"), later]), Some(20_000));
    assert_eq!(retry_after(&[("date", "noon"), later]), Some(3_620_000), "by the local clock");
    let seconds = [("date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("retry-after", "20")];
    assert_eq!(retry_after(&seconds), Some(20_000), "seconds need no clock");
}

#[test]
fn debug_output_holds_no_token() {
    let printed = format!("{:?} {:?}", refresh(&of(Style::Renew)), response(200, "secret"));
    assert_eq!(printed, "Request(https://auth.test/token) Response(200)");
}
