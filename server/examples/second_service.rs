//! Another service that gets the same access tokens and checks them by itself, with nothing but
//! the issuer's published keys.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use everfresh_server::clock::Clock;
use everfresh_server::jwt::{RemoteKeys, Verifier};
use everfresh_server::serve::{Listening, serve};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, StatusCode};

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Service {
    verifier: Arc<Verifier>,
    clock: Clock,
}

/// The routes of a service that trusts an issuer.
pub fn router(verifier: Verifier, clock: Clock) -> Router {
    let service = Service { verifier: Arc::new(verifier), clock };
    Router::new().route("/whoami", get(whoami)).with_state(service)
}

type Refusal = (StatusCode, [(HeaderName, &'static str); 1]);

async fn whoami(State(service): State<Service>, headers: HeaderMap) -> Result<String, Refusal> {
    let refused = || (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")]);
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|header| header.strip_prefix("Bearer ")).ok_or_else(refused)?;
    let verified = service.verifier.verify(token, service.clock.now()).await;
    verified.map(|verified| verified.subject().to_owned()).map_err(|_| refused())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = "http://127.0.0.1:8080";
    let keys = RemoteKeys::at(&format!("{issuer}/.well-known/jwks.json"))?;
    let verifier = Verifier::new(issuer, issuer, keys);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8081").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let router = router(verifier, Clock::system());
    serve(listener, router, Listening::default(), stop).await;
    Ok(())
}
