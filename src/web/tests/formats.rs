use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Response;

use super::{js, stub::Stub};
use crate::{
    core::grant::TokenResponse,
    engine::{formats::Formats, read_tokens},
    web::{Tokens, formats::WebFormats},
};

fn tokens(text: &str) -> Option<TokenResponse> {
    WebFormats::parse_json(text).and_then(|value| read_tokens::<WebFormats>(&value))
}

#[wasm_bindgen_test]
fn a_token_response_is_read() {
    let read = tokens(r#"{"access_token":"ü\u0000","expires_in":"300","refresh_token":null}"#);
    let read = read.expect("an object");
    assert_eq!((read.access_token.as_str(), read.refresh_token), ("ü\0", None));
    assert_eq!(read.expires_in, Some(300.0));
}

#[wasm_bindgen_test]
fn what_is_no_object_has_no_tokens() {
    for text in [
        "",
        "null",
        "7",
        "\"a\"",
        "{",
        "{}{}",
        "{'a':1}",
        "\u{feff}{}",
        "[]",
        "[{}]",
        r#"[["access_token","a"],["expires_in",1]]"#,
    ] {
        assert!(tokens(text).is_none(), "{text:?}");
    }
}

#[wasm_bindgen_test]
async fn a_login_s_response_is_read_up_to_a_mebibyte() {
    for (padding, code) in [(0, None), (1, Some("ERR_INVALID_TOKEN"))] {
        let body = format!("'{{\"expires_in\":1}}'.padEnd({padding} + {})", 1 << 20);
        let response: Response = js(&format!("return new Response({body})")).unchecked_into();
        let read = Tokens::read(&response).await.map_err(|error| error.code());
        assert_eq!(read.err(), code);
    }
}

#[wasm_bindgen_test]
fn members_that_others_gave_every_object_are_none_of_its_own() {
    let everyone = js("return Object.prototype");
    let given =
        ["access_token", "refresh_token"].map(|name| Stub::new(&everyone, name, &"a".into()));
    let read = tokens(r#"{"expires_in":1,"__proto__":{"refresh_token":"b"}}"#);
    drop(given);
    let read = read.expect("an object");
    assert_eq!((read.access_token.as_str(), read.refresh_token), ("", None));
}

#[wasm_bindgen_test]
fn hostile_values_are_read_without_harm() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    // Not put into an error message either, which would exhaust the stack.
    assert!(tokens(&deep).is_none());
    let objects = format!("{}1{}", r#"{"a":"#.repeat(20_000), "}".repeat(20_000));
    for value in [&deep, &objects, "1e400", "-1e400", r#"{"toString":0}"#, "[[],{},null]"] {
        for member in ["expires_in", "access_token", "other"] {
            // Some parsers give up on what is deep, which is an answer too.
            let read = tokens(&format!(r#"{{"refresh_token":"a","{member}":{value}}}"#));
            assert!(read.is_none_or(|read| read.refresh_token.as_deref() == Some("a")));
        }
    }
}

#[wasm_bindgen_test]
fn an_object_of_texts_is_written_so_that_it_can_be_read() {
    let text = WebFormats::write_object(&[("b", "\"\\\n\u{0}ü"), ("a", ""), ("a\"", "x")]);
    assert_eq!(text, "{\"b\":\"\\\"\\\\\\n\\u0000ü\",\"a\":\"\",\"a\\\"\":\"x\"}");
}

#[wasm_bindgen_test]
fn dates_of_http_are_read_and_nonsense_is_not() {
    for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"] {
        assert_eq!(WebFormats::parse_date(text), Some(784_111_777_000), "{text}");
    }
    for text in ["", "soon", "Sun, 99 Nov 1994 08:49:37 GMT", "\u{0}"] {
        assert_eq!(WebFormats::parse_date(text), None, "{text:?}");
    }
}
