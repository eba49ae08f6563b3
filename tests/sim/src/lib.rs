//! The virtual world: tabs with the real engine in them, a browser made of models, a
//! network that fails in every way that networks fail, and the server's real rotation code.
//!
//! Time is virtual and randomness is seeded: a world is its [`Plan`], and the same plan is the same
//! world, event by event. After every step the [`watch`](mod@watch) looks whether a promise was
//! broken.

mod acting;
pub mod browser;
pub mod crowd;
pub mod dice;
mod host;
mod hostile;
mod manners;
pub mod minimise;
mod network;
pub mod plan;
mod queue;
pub mod server;
pub mod tab;
pub mod tally;
pub mod thief;
pub mod watch;
pub mod wire;
pub mod world;

pub use plan::Plan;
pub use world::World;
