//! What handlers take out of a request; each refuses with an error of ours, in JSON.

mod bearer;
mod body;
mod cookie;
mod form;
mod key;

pub(crate) use bearer::bearer;
pub use bearer::{AccessToken, MaybeAccessToken, Session};
pub(crate) use body::{JsonBody, Raw, content_type};
pub(crate) use cookie::{CookieJar, TrustedOrigin};
pub(crate) use form::Form;
pub(crate) use key::rotation_key;
