//! How a session of an application's own rules sends requests.

use core::{future::Future, pin::Pin, time::Duration};
use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Request, Response};

use super::{
    error::Error,
    fetch::{FAILED, USED, check, is_curable, place, send},
    js::{global, set},
    session::{AccessToken, OwnFetch, Sending, Sent, Session},
};

/// What an application has given in the place of `fetch`.
pub(super) type Transport =
    Option<Rc<dyn Fn(Request) -> Pin<Box<dyn Future<Output = Result<Response, JsValue>>>>>>;

type Says = Box<dyn Fn(Response) -> Pin<Box<dyn Future<Output = bool>>>>;

/// What differs from other sessions.
#[derive(Default)]
pub(super) struct OwnRules {
    pub(super) cookies: bool,
    pub(super) is_unauthorized: Option<Says>,
    pub(super) renewal_header: Option<String>,
}

/// Sends by these rules.
pub(super) fn own(rules: OwnRules, transport: Transport) -> OwnFetch {
    let own = Rc::new((rules, transport));
    Box::new(move |session, request, sending| {
        let (own, request) = (Rc::clone(&own), same(request));
        Box::pin(async move { own.0.fetch(&session, request, sending, &own.1).await })
    })
}

impl Session {
    /// As [`fetch`](Self::fetch), for a request that differs from the others.
    ///
    /// ```no_run
    /// # use everfresh::web::{Error, Sending, Session};
    /// # async fn example(session: Session, request: web_sys::Request) -> Result<bool, Error> {
    /// let sending = Sending { heal: false, ..Sending::default() };
    /// let is_right = session.fetch_with(request, sending).await?.ok();
    /// # Ok(is_right)
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub async fn fetch_with(&self, request: Request, sending: Sending) -> Result<Response, Error> {
        match self.own_fetch() {
            Some(own) => own(self.clone(), &request, sending).await,
            None => OwnRules::default().fetch(self, request, sending, &None).await,
        }
    }
}

impl OwnRules {
    async fn fetch(
        &self,
        session: &Session,
        request: Request,
        sending: Sending,
        transport: &Transport,
    ) -> Result<Response, Error> {
        check(&request)?;
        if session.is_foreign(&request) {
            return dispatch(&request, transport).await;
        }
        let lease =
            if sending.wait { session.lease(Duration::ZERO).await? } else { session.last_lease() };
        let Some(lease) = lease else {
            return dispatch(&request, transport).await;
        };
        let token = AccessToken::of(lease);
        let copy = request.clone().map_err(|_| Error::network(USED))?;
        let response = dispatch(&self.authorize(request, &token)?, transport).await?;
        self.adopt_renewed(session, &response, &token);
        let place = place(&copy);
        let heals = sending.heal && self.is_refused(&response).await;
        if !heals || session.refuses(&place, &token) {
            return Ok(response);
        }
        let Ok(newer) = session.replace(&token).await else { return Ok(response) };
        let response = dispatch(&self.authorize(copy, &newer)?, transport).await?;
        self.adopt_renewed(session, &response, &newer);
        if self.is_refused(&response).await {
            session.note_refusal(&place, &newer);
        }
        Ok(response)
    }

    /// The request with the token, or with the cookies that it stands for.
    fn authorize(&self, request: Request, token: &AccessToken) -> Result<Request, Error> {
        if !self.cookies {
            token.authorize(&request)?;
            return Ok(request);
        }
        let init = Object::new();
        set(&init, "credentials", &"include".into());
        new_request(&request, &init).map_err(|_| Error::network(USED))
    }

    /// Whether a response means that the token is no longer good.
    async fn is_refused(&self, response: &Response) -> bool {
        let refused = match &self.is_unauthorized {
            Some(says) => says(same(response)).await,
            None => response.status() == 401,
        };
        refused && is_curable(response)
    }

    fn adopt_renewed(&self, session: &Session, response: &Response, token: &AccessToken) {
        let header = self.renewal_header.as_deref();
        let renewed = header.and_then(|name| response.headers().get(name).ok().flatten());
        if let Some(renewed) = renewed {
            let address = response.url();
            // A redirect may have led to a server that must not choose our token.
            if address.is_empty() || session.allows(&address) {
                session.adopt(renewed, token);
            }
        }
    }
}

fn dispatch(request: &Request, transport: &Transport) -> Sent {
    let Some(transport) = transport else { return send(request) };
    let sent = transport(same(request));
    Box::pin(async move { sent.await.map_err(|_| Error::network(FAILED)) })
}

/// Another handle: what these types call a clone is another request, or response.
fn same<T: JsCast>(object: &T) -> T {
    object.as_ref().clone().unchecked_into()
}

/// `new Request(input, init)`.
pub(super) fn new_request(input: &JsValue, init: &JsValue) -> Result<Request, JsValue> {
    let arguments = Array::of2(input, init);
    let class: Function = global("Request").unchecked_into();
    Ok(Reflect::construct(&class, &arguments)?.unchecked_into())
}
