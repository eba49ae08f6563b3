//! The virtual world: tabs with the real engine in them, a browser made of models, a
//! network that fails in every way that networks fail, and the server's real rotation code.
//!
//! Time is virtual and randomness is seeded: a world is its [`Plan`], and the same plan is the same
//! world, event by event. After every step [`invariants`](mod@invariants) look whether a promise was
//! broken.

mod apply_actions;
pub mod browser;
pub mod foreign;
mod host;
mod hostile;
pub mod invariants;
mod liveness;
mod lost_news;
pub mod minimise;
mod network;
pub mod plan;
mod queue;
pub mod rng;
pub mod runner;
pub mod server;
mod server_invariants;
pub mod statistics;
mod strain;
pub mod tab;
pub mod thief;
pub mod wire;
pub mod world;

pub use plan::Plan;
pub use world::World;
