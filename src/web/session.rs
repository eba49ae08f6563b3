//! [`Session`]: the session of front ends in Rust.

use core::{fmt, future::Future, pin::Pin, ptr, time::Duration};
use std::{
    cell::RefCell,
    rc::{Rc, Weak},
    sync::{self, Arc},
};

use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};

use super::{
    address::{page_origin, resolve},
    answer::{Answer, Slot},
    clock::{self, Crypto},
    error::Error,
    formats::{WebFormats, from_js},
    host::{WebEngine, open},
    js::global,
    rust_face::{Hooks, RustFace, may_be_hooked},
};
use crate::{
    core::{
        effect::{Lease, Outcome},
        event::Event,
        grant::TokenResponse,
        ids::{StartId, WaiterId},
        input::Input,
        record,
        snapshot::Snapshot,
        stats::Stats,
    },
    engine::{
        endpoint::{Refused, Style},
        jwt,
        options::{ADDRESS, InvalidOption, Options, invalid},
    },
};

type RustEngine = WebEngine<RustFace>;

/// A session: cheap to clone, and the last clone that is dropped ends it here.
///
/// It can be put into any context of Leptos, Yew or Dioxus and sent anywhere. It does something on
/// the thread that made it, in WebAssembly; elsewhere, on a server, it is inert: status `Unknown`,
/// and what waits fails at once.
#[derive(Clone)]
pub struct Session(Arc<Key>);

/// Names one engine of one thread, by its address.
struct Key {
    name: String,
}

type Entry = (sync::Weak<Key>, Rc<RustEngine>);

/// What waits for a response. Boxed, so that its callers share it.
pub(super) type Sent = Pin<Box<dyn Future<Output = Result<Response, Error>>>>;

/// How a session with rules of its own sends a request.
pub(super) type OwnFetch = Box<dyn Fn(Session, &Request, Sending) -> Sent>;

thread_local! {
    static ENGINES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// How one request differs from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// A 401 is healed by a refresh; without, it is handed on at once, as that of a password check
    /// has to be.
    pub heal: bool,
    /// It waits for a token that is good; without, it is sent with what there is, expired or none.
    pub wait: bool,
}

impl Default for Sending {
    fn default() -> Self {
        Self { heal: true, wait: true }
    }
}

/// Tokens as a login gave them. Durations are counted from now.
pub type Tokens = TokenResponse;

impl Session {
    /// A session, or another handle of the one with that name. Nothing happens before
    /// [`start`](Self::start) or [`restore`](Self::restore). Newer options win, for all handles.
    ///
    /// # Errors
    /// `ERR_INVALID_OPTION`, naming the option, its value and the remedy: a text that is empty, a
    /// duration out of its range, a warning that is longer than the idle time, an origin that can never
    /// match, a header that HTTP cannot hold (its value stays untold), and in WebAssembly an address that
    /// is no http or https URL, or relative where there is no page.
    pub fn new(options: Options) -> Result<Self, Error> {
        Self::open(&options, None, None)
    }

    pub(super) fn open(
        options: &Options,
        hooks: Option<Rc<Hooks>>,
        place: Option<JsValue>,
    ) -> Result<Self, Error> {
        let mut settings = options.settings()?;
        let name = options.given_name();
        // Elsewhere there is nothing that an engine could use.
        if cfg!(not(target_family = "wasm")) {
            let name = name.unwrap_or(DEFAULT).to_owned();
            return Ok(Self(Arc::new(Key { name })));
        }
        let endpoint = &mut settings.endpoint;
        if endpoint.style != Style::Function {
            endpoint.foreign = settle("endpoint.url", &mut endpoint.url)?;
        }
        if let Some(url) = &mut endpoint.revoke_url {
            endpoint.revoke_foreign = settle("endpoint.revoke_url", url)?;
        }
        if !options.gives_idle() && !global("document").is_object() {
            settings.policy.idle = None;
        }
        let alone = is_unnamed(options);
        let name = match name {
            None if alone => record::Key::draw(&mut Crypto).text(),
            name => name.unwrap_or(DEFAULT).to_owned(),
        };
        let known = ENGINES.with_borrow(|engines| {
            let named = |(key, engine): &Entry| {
                let key = key.upgrade().filter(|key| key.name == name)?;
                Some((key, Rc::clone(engine)))
            };
            engines.iter().find_map(named)
        });
        let (key, engine) = match known {
            Some((key, engine)) => {
                engine.configure(settings);
                (key, engine)
            }
            None => {
                let key = Arc::new(Key { name });
                let engine = open(RustFace::default(), &key.name, settings);
                engine.host.set_alone(alone);
                let named = (Arc::downgrade(&key), Rc::clone(&engine));
                ENGINES.with_borrow_mut(|engines| engines.push(named));
                (key, engine)
            }
        };
        engine.host.configure(options.input_events().to_vec(), place);
        let face = &engine.host.face;
        face.origins.replace(options.given_origins().map(<[_]>::to_vec));
        face.hook(hooks);
        Ok(Self(key))
    }

    /// Whether another refresh cannot heal a 401 from there.
    pub(super) fn refuses(&self, place: &str, token: &AccessToken) -> bool {
        let stands = |engine: Rc<RustEngine>| {
            let refusals = &engine.host.face.refusals;
            refusals.borrow_mut().stands(place, token.0.id, clock::now().wall)
        };
        self.engine().is_some_and(stands)
    }

    /// A fresh token got a 401 there.
    pub(super) fn note_refusal(&self, place: &str, token: &AccessToken) {
        if let Some(engine) = self.engine() {
            let refusals = &engine.host.face.refusals;
            refusals.borrow_mut().add(place, token.0.id, clock::now().wall);
        }
    }

    pub(super) fn engine(&self) -> Option<Rc<RustEngine>> {
        ENGINES.with_borrow(|engines| {
            let found = engines.iter().find(|(key, _)| key.as_ptr() == Arc::as_ptr(&self.0));
            found.map(|(_, engine)| Rc::clone(engine))
        })
    }

    /// How requests are sent, if not in the usual way.
    pub(super) fn own_fetch(&self) -> Option<Rc<OwnFetch>> {
        if !may_be_hooked() {
            return None;
        }
        self.engine()?.host.face.own_fetch()?.downcast().ok()
    }

    /// Begins or replaces the session, after login. The same token again changes nothing.
    ///
    /// # Errors
    /// `ERR_INVALID_TOKEN`, `ERR_NO_EXPIRY`: then nothing has changed.
    pub fn start(&self, mut tokens: Tokens) -> Result<StartHandle, Error> {
        let start = match self.engine() {
            None => StartId(0),
            Some(engine) => {
                if let Some(stand_in) = engine.host.face.stand_in() {
                    tokens.access_token = stand_in;
                }
                engine.host.listen();
                engine.start(tokens)?
            }
        };
        Ok(StartHandle { session: self.clone(), start })
    }

    /// Stops in this tab and forgets its tokens; no network.
    pub fn cancel(&self) {
        self.feed(Input::Cancel(None));
    }

    /// Counts as user input.
    pub fn touch(&self) {
        self.feed(Input::Touch);
    }

    /// Counts as continuous user input until it is dropped.
    pub fn hold(&self) -> Hold {
        self.feed(Input::Hold(true));
        Hold(self.clone())
    }

    fn feed(&self, input: Input) {
        if let Some(engine) = self.engine() {
            engine.feed(input);
        }
    }

    /// How the session stands: `Snapshot::default()` before it has begun, and on a server.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.engine().map(|engine| engine.host.face.snapshot()).unwrap_or_default()
    }

    /// Calls `listener` after each change of the snapshot.
    pub fn subscribe(&self, listener: impl FnMut(&Snapshot) + 'static) -> Subscription {
        let engine = self.engine();
        let number = engine.as_ref().map(|engine| engine.host.face.on_snapshot(listener));
        Subscription { engine: weak(engine), number: number.unwrap_or(0), event: false }
    }

    /// Calls `listener` for each event, with when it happened: milliseconds since the Unix epoch by
    /// the local clock. It may call anything on the session.
    ///
    /// ```
    /// use everfresh::web::{Event, Session, Subscription};
    ///
    /// # fn example(session: &Session) -> Subscription {
    /// session.on_event(|event, at| {
    ///     if let Event::SignedOut { reason } = event {
    ///         println!("{at}: signed out, {}", reason.as_str());
    ///     }
    /// })
    /// # }
    /// ```
    pub fn on_event(&self, listener: impl FnMut(&Event, i64) + 'static) -> Subscription {
        let engine = self.engine();
        let number = engine.as_ref().map(|engine| engine.host.face.on_event(listener));
        Subscription { engine: weak(engine), number: number.unwrap_or(0), event: true }
    }

    /// Asks now; the answer is waited for. Not generic: each type of future costs bytes.
    fn ask(&self, input: &dyn Fn(WaiterId) -> Input) -> Result<Answer, Error> {
        let engine = self.engine().ok_or(Error::no_browser())?;
        let slot = Slot::default();
        engine.ask(slot.clone(), input);
        let waits = Rc::downgrade(&engine);
        Ok(Answer::new(slot, move |slot| {
            if let Some(engine) = waits.upgrade() {
                engine.abandon(|known| known.is(slot));
            }
        }))
    }

    /// Page load: finds the session in storage, in other tabs, or by the cookie.
    ///
    /// # Errors
    /// `ERR_DISPOSED`; `ERR_NO_BROWSER` on a server.
    pub async fn restore(&self) -> Result<Snapshot, Error> {
        self.engine().ok_or(Error::no_browser())?.host.listen();
        self.ask(&|waiter| Input::Restore { waiter })?.await?;
        Ok(self.snapshot())
    }

    /// Ends every tab at once, then revokes at the server. The local part never fails.
    ///
    /// # Errors
    /// `ERR_NO_BROWSER` on a server.
    pub async fn sign_out(&self) -> Result<(), Error> {
        self.ask(&|waiter| Input::SignOut { waiter, everywhere: false })?.await.map(|_| ())
    }

    /// The same for all of the user's sessions.
    ///
    /// # Errors
    /// As [`sign_out`](Self::sign_out).
    pub async fn sign_out_everywhere(&self) -> Result<(), Error> {
        self.ask(&|waiter| Input::SignOut { waiter, everywhere: true })?.await.map(|_| ())
    }

    /// Refreshes now, for changed claims; joins a refresh under way. One attempt.
    ///
    /// # Errors
    /// Why it failed; the session goes on trying by itself.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.ask(&|waiter| Input::RefreshWanted { waiter })?.await.map(|_| ())
    }

    /// A token that is good for at least `min`.
    ///
    /// # Errors
    /// `ERR_NOT_SIGNED_IN`, also where cookies keep it from scripts; `ERR_REFRESH_UNAVAILABLE`,
    /// `ERR_SIGNED_OUT_BY_SERVER`, `ERR_REFRESH_REJECTED`.
    pub async fn access_token(&self, min: Duration) -> Result<AccessToken, Error> {
        let lease = self.lease(min).await?.filter(|_| !self.has_cookies());
        lease.map(AccessToken).ok_or_else(not_signed_in)
    }

    /// No script sees a token: what is leased stands for cookies.
    pub(super) fn has_cookies(&self) -> bool {
        may_be_hooked() && self.engine().is_some_and(|engine| engine.host.face.has_cookies())
    }

    /// As [`lease`](Self::lease) without waiting: the token that there is, expired or not.
    pub(super) fn last_lease(&self) -> Option<Lease> {
        let engine = self.engine()?;
        let access_token = engine.session(|it| it.access_token().map(str::to_owned))?;
        let id = engine.host.face.refusals.borrow().newest();
        Some(Lease { id, access_token, from: 0, until: 0 })
    }

    /// A response to a request with this token brought another one. What cannot be used changes
    /// nothing.
    pub(super) fn adopt(&self, renewed: String, token: &AccessToken) {
        if let Some(engine) = self.engine() {
            let _ = engine.adopt(renewed, token.0.id);
        }
    }

    /// What the access token says, not verified here; `None` where it is no JWT, where there is
    /// none, and where its claims are no `T`.
    #[must_use]
    pub fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        let lease = self.last_lease()?;
        from_js(jwt::claims::<WebFormats>(&lease.access_token).ok()?)
    }

    /// What the endpoint answered to the last refresh, when that brought no tokens: status, code and
    /// description, for a log or a person. It holds no token.
    #[must_use]
    pub fn last_refusal(&self) -> Option<Refused> {
        self.engine()?.host.refused()
    }

    /// Counts what this tab did so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.engine().map(|engine| engine.stats()).unwrap_or_default()
    }

    /// As [`access_token`](Self::access_token); `None` when no user is signed in.
    pub(super) async fn lease(&self, min: Duration) -> Result<Option<Lease>, Error> {
        let engine = self.engine().ok_or(Error::no_browser())?;
        if min.is_zero()
            && let Some(lease) = engine.host.face.usable_lease(clock::now().wall)
        {
            return Ok(Some(lease));
        }
        drop(engine);
        let min_validity = i64::try_from(min.as_millis()).unwrap_or(i64::MAX >> 4);
        match self.ask(&|waiter| Input::TokenWanted { waiter, min_validity })?.await? {
            Outcome::Token(lease) => Ok(Some(lease)),
            _ => Ok(None),
        }
    }

    /// This token got a 401: gives the newer one, after one refresh if there is none yet.
    ///
    /// # Errors
    /// `ERR_REFRESH_UNAVAILABLE` when there is none and none can be had: hand the 401 on.
    pub async fn replace(&self, refused: &AccessToken) -> Result<AccessToken, Error> {
        let lease = refused.0.id;
        match self.ask(&|waiter| Input::Unauthorized { waiter: Some(waiter), lease })?.await? {
            Outcome::Token(lease) => Ok(AccessToken(lease)),
            _ => Err(crate::core::error::Error::Unavailable.into()),
        }
    }

    /// Heals any other client: sends with a token, and once more with a newer one when `refused` says
    /// that the answer is a 401.
    ///
    /// ```no_run
    /// # use everfresh::web::{Error, Session};
    /// # struct Response;
    /// # impl Response { fn status(&self) -> u16 { 200 } }
    /// # async fn send(_: &str) -> Response { Response }
    /// # async fn example(session: Session) -> Result<Response, Error> {
    /// let response = session.call(async |token| send(token.as_str()).await, |r| r.status() == 401).await?;
    /// # Ok(response)
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token).
    pub async fn call<R>(
        &self,
        send: impl AsyncFn(&AccessToken) -> R,
        refused: impl Fn(&R) -> bool,
    ) -> Result<R, Error> {
        let token = self.access_token(Duration::ZERO).await?;
        let answer = send(&token).await;
        if !refused(&answer) {
            return Ok(answer);
        }
        match self.replace(&token).await {
            Ok(newer) => Ok(send(&newer).await),
            Err(_) => Ok(answer),
        }
    }
}

/// What a session is called that was given no name, in a page or worker.
const DEFAULT: &str = "default";

/// Whether a session is shared with no other: elsewhere one process may serve many users.
pub(super) fn is_unnamed(options: &Options) -> bool {
    options.given_name().is_none() && page_origin().is_none()
}

/// Makes the address of an option whole, since a page may change its base later. Gives whether it is
/// of another origin than the page, if there is one.
fn settle(option: &'static str, address: &mut String) -> Result<bool, InvalidOption> {
    let Some([url, origin]) = resolve(address) else {
        return Err(invalid(option, address, ADDRESS));
    };
    *address = url;
    Ok(page_origin().is_some_and(|page| page != origin))
}

fn not_signed_in() -> Error {
    crate::core::error::Error::NotSignedIn.into()
}

fn weak(engine: Option<Rc<RustEngine>>) -> Weak<RustEngine> {
    engine.map(|engine| Rc::downgrade(&engine)).unwrap_or_default()
}

/// A valid access token, and the right to have it replaced.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(Lease);

impl AccessToken {
    pub(super) const fn of(lease: Lease) -> Self {
        Self(lease)
    }

    /// As it goes into the header `Authorization`, after `Bearer `.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.access_token
    }
}

/// One start; its `cancel` never stops a newer one.
#[derive(Clone, Debug)]
pub struct StartHandle {
    session: Session,
    start: StartId,
}

impl StartHandle {
    /// As [`Session::cancel`], if this start is still the current one.
    pub fn cancel(&self) {
        self.session.feed(Input::Cancel(Some(self.start)));
    }
}

/// Continuous user input, such as a video that plays.
#[must_use = "it counts until it is dropped"]
#[derive(Debug)]
pub struct Hold(Session);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.feed(Input::Hold(false));
    }
}

/// Listens until it is dropped. It does not keep the session alive.
#[must_use = "dropped, it hears nothing more"]
pub struct Subscription {
    engine: Weak<RustEngine>,
    number: u32,
    event: bool,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(engine) = self.engine.upgrade() else { return };
        if self.event {
            engine.host.face.forget_event(self.number);
        } else {
            engine.host.face.forget_snapshot(self.number);
        }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // Out of the table first: what is disposed of may call anything.
        let taken = ENGINES.try_with(|engines| {
            let mut engines = engines.try_borrow_mut().ok()?;
            let at = engines.iter().position(|(key, _)| ptr::eq(key.as_ptr(), self))?;
            Some(engines.remove(at).1)
        });
        if let Ok(Some(engine)) = taken {
            engine.feed(Input::Dispose);
        }
    }
}

impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Session {}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?})", self.0.name)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription(..)")
    }
}
