//! The server inside an application of your own, which has a state and routes of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::get;
use everfresh_server::config::{Layer, Settings};
use everfresh_server::serve::{Listening, serve};
use everfresh_server::{AccessToken, AppState, MaybeAccessToken, app, bootstrap, maintenance};

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Shop {
    auth: AppState,
    orders: Arc<AtomicU64>,
}

/// Lets the extractors find the server's state in ours.
impl FromRef<Shop> for AppState {
    fn from_ref(shop: &Shop) -> Self {
        shop.auth.clone()
    }
}

/// All routes: ours and the server's.
pub fn router(auth: AppState) -> Router {
    let shop = Shop { auth: auth.clone(), orders: Arc::default() };
    Router::new()
        .route("/shop/hello", get(hello))
        .route("/shop/orders", get(orders).post(order))
        .with_state(shop)
        .merge(app(auth))
}

/// For everybody; nicer to those who are signed in.
async fn hello(MaybeAccessToken(session): MaybeAccessToken) -> String {
    match session {
        Some(session) => format!("hello {}", session.user.name),
        None => "hello stranger".to_owned(),
    }
}

/// For those who are signed in: without a good token the extractor has already answered 401.
async fn order(State(shop): State<Shop>, AccessToken(session): AccessToken) -> String {
    let number = shop.orders.fetch_add(1, Ordering::Relaxed) + 1;
    format!("order {number} for {}", session.claims.sub)
}

async fn orders(State(shop): State<Shop>, _: AccessToken) -> String {
    shop.orders.load(Ordering::Relaxed).to_string()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = "store = \"memory:\"\nuser = [\"demo:demo\"]\nissuer = \"http://127.0.0.1:8080\"";
    let settings = Settings::resolve(Layer::from_toml(file)?)?;
    let listener = tokio::net::TcpListener::bind(settings.listen).await?;
    let state = bootstrap::open(settings).await?;
    tokio::spawn(maintenance::upkeep(state.clone()));
    let address: SocketAddr = listener.local_addr()?;
    println!("listening on http://{address}");
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    serve(listener, router(state.clone()), Listening::default(), stop).await;
    maintenance::write_audit(&state).await;
    Ok(())
}
