//! An application with a session, an export and an allocator of its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use everfresh::web::{Options, Session, Tokens};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's layout is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from there.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Runs when the module is loaded, as an application's main function does.
#[wasm_bindgen(start)]
pub fn begin() {
    let session = Session::new(Options::new("/oauth/token")).ok();
    SESSION.set(session);
}

/// Signs in, and sends a request.
#[wasm_bindgen]
pub fn sign_in(access_token: String) -> Result<(), JsValue> {
    let Some(session) = SESSION.with_borrow(Clone::clone) else { return Ok(()) };
    let tokens = Tokens { access_token, expires_in: Some(300.0), ..Tokens::default() };
    let _start = session.start(tokens).map_err(|error| js_sys::Error::new(&error.to_string()))?;
    let request = web_sys::Request::new_with_str("/api/me")?;
    spawn_local(async move {
        let _ = session.restore().await;
        let _ = session.fetch(request).await;
        let _ = session.sign_out().await;
    });
    Ok(())
}

/// How often memory was asked for.
#[wasm_bindgen]
pub fn allocations() -> usize {
    ALLOCATIONS.load(Ordering::Relaxed)
}
