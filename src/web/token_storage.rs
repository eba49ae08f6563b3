//! [`TokenStorage`]: a place of the application's for the session's record.

use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};
use std::rc::Rc;

use js_sys::{Function, Object, Promise};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::future_to_promise;

use super::js::set;

/// A place for texts, such as the key store of a desktop application. What is ready at once is dealt
/// with at once, so one that does not wait also keeps what happens last, when a page is left. A place
/// that gives a text of more than 4 MiB counts as one that cannot be read.
#[expect(async_fn_in_trait, reason = "a session lives on one thread")]
pub trait TokenStorage: 'static {
    /// The value of a key; `None` when there is none.
    ///
    /// # Errors
    /// The place cannot be read.
    async fn get(&self, key: &str) -> Result<Option<String>, JsValue>;

    /// Stores a value.
    ///
    /// # Errors
    /// It was not stored. Tried again later; the session lives on in memory.
    async fn set(&self, key: &str, value: &str) -> Result<(), JsValue>;

    /// Forgets a key.
    ///
    /// # Errors
    /// It is still there; nothing is done about it.
    async fn remove(&self, key: &str) -> Result<(), JsValue>;
}

/// Longer texts are no records, which hold two tokens and a subject of at most 1 MiB each; bytes.
const LONGEST: usize = 4 << 20;

/// The place as the engine's host calls it. A session without a name finds again what a storage of its
/// own keeps: there the key is always the same.
pub(super) fn place(storage: impl TokenStorage, unnamed: bool) -> JsValue {
    let storage = Rc::new(storage);
    let key = move |key: JsValue| {
        let key = key.as_string().unwrap_or_default();
        if unnamed { without_name(&key) } else { key }
    };
    let nothing = |()| JsValue::UNDEFINED;
    let place = Object::new();
    let get = {
        let storage = Rc::clone(&storage);
        method(move |name, _| {
            let (storage, key) = (Rc::clone(&storage), key(name));
            at_once(async move {
                match storage.get(&key).await? {
                    Some(text) if text.len() > LONGEST => Err("no record is as long".into()),
                    text => Ok(text.map_or(JsValue::NULL, JsValue::from)),
                }
            })
        })
    };
    let put = {
        let storage = Rc::clone(&storage);
        method(move |name, text| {
            let (storage, key) = (Rc::clone(&storage), key(name));
            let text = text.as_string().unwrap_or_default();
            at_once(async move { storage.set(&key, &text).await.map(nothing) })
        })
    };
    let remove = method(move |name, _| {
        let (storage, key) = (Rc::clone(&storage), key(name));
        at_once(async move { storage.remove(&key).await.map(nothing) })
    });
    for (name, method) in [("get", get), ("set", put), ("remove", remove)] {
        set(&place, name, &method);
    }
    place.into()
}

/// The same key for every session without a name: `everfresh:default`, and what follows the name.
fn without_name(key: &str) -> String {
    let mut parts = key.splitn(3, ':');
    let (first, _, rest) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let mut key = first.to_owned() + ":default";
    if let Some(rest) = rest {
        key = key + ":" + rest;
    }
    key
}

fn method(act: impl Fn(JsValue, JsValue) -> JsValue + 'static) -> Function {
    Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(act).into_js_value().unchecked_into()
}

/// What a future came to, or a promise of it when that is not known yet.
fn at_once(future: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> JsValue {
    let mut future = Box::pin(future);
    match pin!(future.as_mut()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(value)) => value,
        Poll::Ready(Err(error)) => Promise::reject(&error).into(),
        Poll::Pending => future_to_promise(future).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_name;

    #[test]
    fn a_key_without_a_name_is_always_the_same() {
        assert_eq!(without_name("everfresh:unnamed-5"), "everfresh:default");
        assert_eq!(without_name("everfresh:unnamed-6:set-aside"), "everfresh:default:set-aside");
    }
}
