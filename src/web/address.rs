//! Addresses, as the page resolves them.

use wasm_bindgen::prelude::*;

use super::js::{get, global};

/// The page's own origin, if there is a page or worker.
pub(super) fn page_origin() -> Option<String> {
    get(&global("location"), "origin").as_string()
}

/// An address of the Web, whole, and its origin. What is relative counts from the page's base; where
/// there is no page it is none.
pub(super) fn resolve(address: &str) -> Option<[String; 2]> {
    let base = get(&global("document"), "baseURI");
    let base = if base.is_string() { base } else { get(&global("location"), "href") };
    let url = Address::new(address, &base).ok()?;
    let url = [get(&url, "href").as_string()?, get(&url, "origin").as_string()?];
    url[0].starts_with("http").then_some(url)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = URL)]
    type Address;
    /// Without a base for undefined.
    #[wasm_bindgen(constructor, catch, js_class = "URL")]
    fn new(address: &str, base: &JsValue) -> Result<Address, JsValue>;
}
