//! What handlers take out of a request; each refuses with an error of ours, in JSON.

mod bearer;
mod body;
mod client;
mod cookie;
mod form;
mod forwarded;
mod key;

pub(crate) use bearer::{bearer, refuse};
pub(crate) use body::{
    JsonBody, LONGEST_NAME, LONGEST_PASSWORD, Raw, SMALL, content_type, is_longer, object,
};
pub(crate) use client::Client;
pub(crate) use cookie::{CookieJar, TrustedOrigin, allowable, foreign_origin, trust};
pub(crate) use form::Form;
pub(crate) use key::rotation_key;
