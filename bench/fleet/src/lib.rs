//! Fleets: many clients of one token service in virtual time, each with the engine that is shipped,
//! or with the rules of another package.
//!
//! The service never tires: it answers whatever comes while it is up. So no client feels another
//! one, and a fleet of any size is simulated client by client, in the memory of one; what they send
//! is added up. What it takes to serve that load is what the figures are about.

pub mod engine_client;
pub mod fleet;
pub mod host;
pub mod load;
pub mod peers;
pub mod plot;
pub mod report;
pub mod rule_client;
pub mod scenario;
