//! [`SessionBuilder`]: what only some sessions need, in functions of the application's own.

use core::{fmt, future::Future, time::Duration};
use std::rc::Rc;

use js_sys::Function;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};

use super::{
    error::Error,
    exchange::{self, Answer, Exchange, Method, Verdict, stand_in},
    formats::from_js,
    own_fetch::{self, OwnRules, Transport},
    refresh_function::{RefreshRequest, until_aborted},
    rust_face::{Hooks, expect_hooks},
    session::{OwnFetch, Session, Tokens, is_unnamed},
    token_storage::{self, TokenStorage},
};
use crate::{
    core::clock::Millis,
    engine::{
        Called,
        endpoint::{Endpoint, Style},
        host::Line,
        options::{InvalidOption, Options, invalid, is_header_name},
        records::Storage,
    },
};

/// Makes a session with functions of the application's own, and for services of another shape. Each
/// setter brings its code into the application, and only when it is called.
///
/// ```
/// use everfresh::web::{Endpoint, Error, Options, Session, Style, Tokens, Verdict};
///
/// # #[derive(serde::Deserialize)]
/// # struct Data { token: String, lifetime: f64 }
/// # fn example() -> Result<Session, Error> {
/// let endpoint = Endpoint { url: "/auth/refresh".into(), style: Style::Json, ..Endpoint::default() };
/// let session = Session::builder(Options::default().endpoint(endpoint))
///     .params(|token| vec![("refreshToken", token.to_owned())])
///     .tokens(|answer| {
///         let Data { token, lifetime } = answer.json()?;
///         Some(Tokens { access_token: token, expires_in: Some(lifetime), ..Tokens::default() })
///     })
///     .classify(|answer| (answer.status() == 419).then_some(Verdict::Revoked))
///     .build()?;
/// # Ok(session)
/// # }
/// ```
#[must_use = "nothing is made before build"]
#[derive(Default)]
pub struct SessionBuilder {
    options: Options,
    exchange: Exchange,
    /// Set by whatever changes `exchange`, and so for the next one: what is not set is not linked.
    wrap: Option<fn(Exchange, Transport) -> Function>,
    rules: OwnRules,
    own: Option<fn(OwnRules, Transport) -> OwnFetch>,
    transport: Transport,
    place: Option<Box<dyn FnOnce(bool) -> JsValue>>,
    hooks: Hooks,
}

impl Session {
    /// A session with more than options can say.
    pub fn builder(options: Options) -> SessionBuilder {
        SessionBuilder { options, ..SessionBuilder::default() }
    }

    /// As [`new`](Self::new), with an own function to get new tokens.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_refresh<F>(
        options: Options,
        refresh: impl Fn(RefreshRequest) -> F + 'static,
    ) -> Result<Self, Error>
    where
        F: Future<Output = Called> + 'static,
    {
        Self::builder(options).refresh(refresh).build()
    }
}

impl SessionBuilder {
    /// An own function to get new tokens, in the place of the endpoint. What it gives is dropped when
    /// its answer is no longer wanted: signed out, or longer under way than `timeout`. Then the signal of
    /// its [`RefreshRequest`] is aborted too. Send by a plain client: the session's own `fetch` would wait
    /// for this very refresh.
    ///
    /// ```
    /// # use everfresh::web::{Called, Options, Session, Tokens};
    /// # use web_sys::AbortSignal;
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims { tenant: String }
    /// # async fn ask(_: Option<String>, _: Option<String>, _: Option<AbortSignal>) -> Option<Tokens> { None }
    /// # fn example(options: Options) {
    /// let builder = Session::builder(options).refresh(|request| async move {
    ///     let tenant = request.claims().map(|Claims { tenant }| tenant);
    ///     match ask(tenant, request.refresh_token, request.signal).await {
    ///         Some(tokens) => Called::Tokens(Some(tokens)),
    ///         None => Called::Failed { terminal: false },
    ///     }
    /// });
    /// # }
    /// ```
    pub fn refresh<F>(mut self, refresh: impl Fn(RefreshRequest) -> F + 'static) -> Self
    where
        F: Future<Output = Called> + 'static,
    {
        self.set_style(Style::Function);
        self.hooks.refresh = Some(Rc::new(move |request, signal| {
            let given = RefreshRequest::new(request, signal.clone());
            Box::pin(until_aborted(Box::pin(refresh(given)), signal))
        }));
        self
    }

    /// The HTTP method of the refresh; POST by default. GET has no body, and is for the styles that
    /// need none: `Cookie` and `Renew`, and [`cookies`](Self::cookies).
    pub fn method(mut self, method: Method) -> Self {
        self.exchange().method = method;
        self
    }

    /// Both tokens are `HttpOnly` cookies that no script sees. Requests go with credentials and without
    /// `Authorization`; one refresh without a body heals a 401, and its answer may be a 204.
    /// `expires_in` in it, when there, schedules the next. The style of the endpoint is `Cookie` then.
    /// Sign in with `session.start(Tokens::default())`, or with what the login said of the lifetime.
    pub fn cookies(mut self) -> Self {
        self.set_style(Style::Cookie);
        self.exchange().cookies = true;
        self.rules().cookies = true;
        self.hooks.stand_in = Some(stand_in);
        self
    }

    /// Places the refresh token itself: gives the fields that stand for `refresh_token` in the body,
    /// under the service's own names, for the styles `OAuth2` and `Json`.
    pub fn params<N: Into<String>, V: Into<String>>(
        mut self,
        params: impl Fn(&str) -> Vec<(N, V)> + 'static,
    ) -> Self {
        self.exchange().params = Some(Box::new(move |token| {
            params(token).into_iter().map(|(name, value)| (name.into(), value.into())).collect()
        }));
        self
    }

    /// Makes tokens of an answer of another shape. Without an access token in it the answer is judged
    /// as it came.
    pub fn tokens(mut self, tokens: impl Fn(&Answer) -> Option<Tokens> + 'static) -> Self {
        self.exchange().tokens = Some(Box::new(tokens));
        self
    }

    /// Says what an answer is; `None` leaves it to the usual rules.
    pub fn classify(mut self, classify: impl Fn(&Answer) -> Option<Verdict> + 'static) -> Self {
        self.exchange().classify = Some(Box::new(classify));
        self
    }

    /// Says which responses to [`Session::fetch`] mean that the token is no longer good; status 401
    /// alone by default. A function that reads the body reads that of a clone.
    pub fn is_unauthorized(mut self, says: impl AsyncFn(&Response) -> bool + 'static) -> Self {
        let says = Rc::new(says);
        self.rules().is_unauthorized = Some(Box::new(move |response| {
            let says = Rc::clone(&says);
            Box::pin(async move { says(&response).await })
        }));
        self
    }

    /// Adopts a token that a response to [`Session::fetch`] carries in this header, such as `X-JWT`,
    /// with `Bearer ` before it or not; at most 1 MiB, as every token.
    pub fn renewal_header(mut self, name: impl Into<String>) -> Self {
        self.rules().renewal_header = Some(name.into());
        self
    }

    /// Sends all requests of the session, in the place of the global `fetch`. What it fails with
    /// counts as a network that failed: `ERR_NETWORK` to the caller of [`Session::fetch`].
    pub fn transport<F>(mut self, transport: impl Fn(Request) -> F + 'static) -> Self
    where
        F: Future<Output = Result<Response, JsValue>> + 'static,
    {
        self.transport = Some(Rc::new(move |request| Box::pin(transport(request))));
        self.exchange();
        self.rules();
        self
    }

    /// Where tokens live between page loads: [`Storage::Custom`].
    pub fn token_storage(mut self, storage: impl TokenStorage) -> Self {
        self.options = self.options.storage(Storage::Custom);
        self.place = Some(Box::new(|unnamed| token_storage::place(storage, unnamed)));
        self
    }

    /// Refreshes this long before expiry, asked anew for each token. `C` is what is read of its claims;
    /// where they are no `C`, and for tokens that say nothing, the lead of the options counts.
    pub fn lead_for<C: DeserializeOwned>(mut self, lead: impl Fn(C) -> Duration + 'static) -> Self {
        self.hooks.lead = Some(Rc::new(move |claims| {
            let lead = lead(from_js(claims)?).as_millis();
            Millis::try_from(lead).ok().filter(|lead| *lead <= MAX_LEAD)
        }));
        self
    }

    /// Hears what is worth a line in a log and is no event. It holds no token.
    pub fn log(mut self, log: impl Fn(Line) + 'static) -> Self {
        self.hooks.log = Some(Rc::new(log));
        self
    }

    /// Makes the session, or another handle of the one with that name. Newer functions win.
    ///
    /// # Errors
    /// As [`Session::new`]; and a GET with a body, or a [`renewal_header`](Self::renewal_header) that is
    /// no name of a header.
    pub fn build(mut self) -> Result<Session, Error> {
        let style = self.options.given_endpoint().style;
        let has_body = matches!(style, Style::OAuth2 | Style::Json);
        if self.exchange.method == Method::Get && has_body {
            let (option, value) = ("method", "GET".to_owned());
            // In the address the token would end up in logs.
            let remedy = "POST, or an endpoint whose style has no body: Cookie, Renew";
            return Err(InvalidOption { option, value, remedy }.into());
        }
        if let Some(name) = self.rules.renewal_header.as_deref().filter(|it| !is_header_name(it)) {
            return Err(invalid("renewal_header", name, "the name of a header").into());
        }
        self.exchange.json = style == Style::Json;
        if cfg!(not(target_family = "wasm")) {
            return Session::new(self.options);
        }
        let Self { options, exchange, rules, transport, mut hooks, .. } = self;
        hooks.transport = self.wrap.map(|wrap| wrap(exchange, transport.clone()));
        let place = self.place.map(|place| place(is_unnamed(&options)));
        hooks.fetch = self.own.map(|own| Rc::new(own(rules, transport)) as _);
        expect_hooks();
        Session::open(&options, Some(Rc::new(hooks)), place)
    }

    fn exchange(&mut self) -> &mut Exchange {
        self.wrap = Some(exchange::wrap);
        &mut self.exchange
    }

    fn rules(&mut self) -> &mut OwnRules {
        self.own = Some(own_fetch::own);
        &mut self.rules
    }

    fn set_style(&mut self, style: Style) {
        let endpoint = Endpoint { style, ..self.options.given_endpoint().clone() };
        self.options = core::mem::take(&mut self.options).endpoint(endpoint);
    }
}

/// Milliseconds, as long as any duration of the options.
const MAX_LEAD: Millis = 1_000_000_000_000;

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionBuilder(..)")
    }
}
