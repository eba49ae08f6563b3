use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Seen, call, in_page, js, settle, stub::Stub, until};
use crate::{
    engine::host::{Loaded, Place},
    web::{
        js::{get, global},
        storage::Places,
    },
};

const AREAS: [(Place, &str); 2] =
    [(Place::Local, "localStorage"), (Place::Session, "sessionStorage")];
const KEY: &str = "everfresh:storage";

fn places(custom: &str) -> Places {
    Places { custom: Some(js(custom)) }
}

fn load(places: &Places, place: Place) -> Option<Loaded> {
    places.load(place, KEY, |_| panic!("an answer that came at once comes no more"))
}

fn store(places: &Places, place: Place, text: &str) -> Option<bool> {
    places.store(place, KEY, text, |_| panic!("an answer that came at once comes no more"))
}

fn text(text: &str) -> Option<Loaded> {
    Some(Loaded::Text(text.to_owned()))
}

/// An area in memory; it counts what is asked of it.
const AREA: &str = "
    const kept = new Map();
    return {
        asked: 0,
        getItem(key) { this.asked += 1; return kept.get(key) ?? null },
        setItem(key, text) { this.asked += 1; kept.set(key, text) },
        removeItem(key) { this.asked += 1; kept.delete(key) },
    };
";

#[wasm_bindgen_test]
fn each_area_keeps_its_own_text() {
    let imitation: Vec<_> = if in_page() {
        Vec::new()
    } else {
        AREAS.iter().map(|(_, name)| Stub::global(name, &js(AREA))).collect()
    };
    let places = Places::default();
    for (place, name) in AREAS {
        assert_eq!(load(&places, place), Some(Loaded::Nothing));
        assert_eq!(store(&places, place, name), Some(true));
    }
    for (place, name) in AREAS {
        assert_eq!(load(&places, place), text(name));
        assert_eq!(call(&global(name), "getItem", &KEY.into()), Ok(name.into()));
        places.remove(place, KEY);
        assert_eq!(load(&places, place), Some(Loaded::Nothing));
    }
    drop(imitation);
}

#[wasm_bindgen_test]
fn an_area_that_cannot_be_reached_fails() {
    let broken: [fn(&str) -> Stub; 4] = [
        Stub::unreadable,
        |name| Stub::global(name, &JsValue::NULL),
        |name| Stub::global(name, &JsValue::UNDEFINED),
        |name| {
            let no = "const no = () => { throw new Error('no') };";
            let area = format!("{no} return {{ getItem: no, setItem: no, removeItem: no }}");
            Stub::global(name, &js(&area))
        },
    ];
    for (place, name) in AREAS {
        for stub in broken {
            let stub = stub(name);
            let places = Places::default();
            assert_eq!(load(&places, place), Some(Loaded::Failed), "{name}");
            assert_eq!(store(&places, place, "a"), Some(false), "{name}");
            places.remove(place, KEY);
            drop(stub);
        }
    }
}

#[wasm_bindgen_test]
fn an_area_that_is_full_does_not_store() {
    let full = js("return { setItem() { throw new DOMException('full', 'QuotaExceededError') } }");
    let _stub = Stub::global("localStorage", &full);
    assert_eq!(store(&Places::default(), Place::Local, "a"), Some(false));
}

#[wasm_bindgen_test]
fn a_place_of_the_applications_may_answer_at_once() {
    let places = places(
        "const kept = {};
        return {
            get(key) { return kept[key] },
            set(key, text) { kept[key] = text },
            remove(key) { delete kept[key] },
        }",
    );
    assert_eq!(load(&places, Place::Custom), Some(Loaded::Nothing));
    assert_eq!(store(&places, Place::Custom, "a"), Some(true));
    assert_eq!(load(&places, Place::Custom), text("a"));
    places.remove(Place::Custom, KEY);
    assert_eq!(load(&places, Place::Custom), Some(Loaded::Nothing));
}

#[wasm_bindgen_test]
fn the_shared_place_is_no_place_of_the_applications() {
    let area = js(AREA);
    let _stub = Stub::global("localStorage", &area);
    let places = places("return { get() { throw 1 }, set() { throw 1 }, remove() { throw 1 } }");
    assert_eq!(store(&places, Place::Local, "a"), Some(true));
    assert_eq!(load(&places, Place::Local), text("a"));
    places.remove(Place::Local, KEY);
    assert_eq!(get(&area, "asked"), JsValue::from(3));
}

#[wasm_bindgen_test]
async fn a_place_of_the_applications_may_answer_later() {
    for (get, expected) in [
        ("async () => 'a'", Loaded::Text("a".to_owned())),
        ("async () => null", Loaded::Nothing),
        ("async () => ({ toString: () => 'a' })", Loaded::Nothing),
        ("async () => { throw 1 }", Loaded::Failed),
        ("() => ({ then: (kept) => kept('a') })", Loaded::Text("a".to_owned())),
        ("() => ({ then(kept, broken) { broken(); kept('a') } })", Loaded::Failed),
        ("() => ({ then() { throw 1 } })", Loaded::Failed),
    ] {
        let seen = Seen::new();
        let later = seen.hears(|it| it);
        let places = places(&format!("return {{ get: {get} }}"));
        assert_eq!(places.load(Place::Custom, KEY, later), None);
        assert_eq!(seen.count(), 0);
        until(get, || seen.count() > 0).await;
        settle().await;
        assert_eq!(seen.all(), [expected], "{get}");
    }
}

#[wasm_bindgen_test]
async fn whether_a_place_has_stored_may_come_later() {
    for (set, expected) in [
        ("async () => {}", true),
        ("async () => false", true),
        ("async () => { throw 1 }", false),
        ("() => ({ then() { throw 1 } })", false),
    ] {
        let seen = Seen::new();
        let later = seen.hears(|it| it);
        let places = places(&format!("return {{ set: {set} }}"));
        assert_eq!(places.store(Place::Custom, KEY, "a", later), None);
        until(set, || seen.count() > 0).await;
        assert_eq!(seen.all(), [expected], "{set}");
    }
}

#[wasm_bindgen_test]
async fn a_place_of_the_applications_that_is_broken_fails() {
    for custom in [
        "return {}",
        "return null",
        "return { get: 5, set: 5, remove: 5 }",
        "return new Proxy({}, { get() { throw 1 } })",
        "const no = () => { throw 1 }; return { get: no, set: no, remove: no }",
    ] {
        let places = places(custom);
        assert_eq!(load(&places, Place::Custom), Some(Loaded::Failed), "{custom}");
        assert_eq!(store(&places, Place::Custom, "a"), Some(false), "{custom}");
        places.remove(Place::Custom, KEY);
    }
    // What is no text and no promise is nothing; a thenable that cannot be read is no promise.
    for value in ["5", "{}", "{ get then() { throw 1 } }", "Symbol()", "() => {}"] {
        let places = places(&format!("return {{ get: () => ({value}) }}"));
        assert_eq!(load(&places, Place::Custom), Some(Loaded::Nothing), "{value}");
    }
    // A rejection is handled, or the run would fail of it.
    places("return { remove: async () => { throw 1 } }").remove(Place::Custom, KEY);
    settle().await;
}
