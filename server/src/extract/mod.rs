//! What handlers take out of a request; each refuses with an error of ours, in JSON.

mod bearer;
mod body;
mod cookie;
mod form;
mod key;

pub use bearer::{AccessToken, MaybeAccessToken, Session};
pub(crate) use bearer::{RenewableToken, bearer, refuse};
pub(crate) use body::{
    JsonBody, LONGEST_NAME, LONGEST_PASSWORD, Raw, SMALL, content_type, is_longer, object,
};
pub(crate) use cookie::{CookieJar, TrustedOrigin, is_trusted};
pub(crate) use form::Form;
pub(crate) use key::rotation_key;
