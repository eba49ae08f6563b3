//! Every interleaving of a few tabs, a browser, a network and the server's real rotation code, up
//! to stated bounds. `cargo xtask search` runs it.
//!
//! # What is real
//! The engine of every tab with the session machine in it, what it stores, sends and reads, and the
//! server's rules of rotation with its tokens and keys.
//!
//! # What is a model
//! One lock, first come, first served, or none. A channel between each two tabs that keeps its
//! order. One place of texts that is read at once, as `localStorage` is, or at any later step, and is
//! written in the same breath. A network
//! that carries one refresh of each tab, its answer, and copies that nobody waits for any more. Of
//! the answers that were on their way when their attempt was given up, each tab's last one; it may
//! come at any later moment, or never.
//! There are no `storage` events: the tabs have one way less to hear of each other.
//!
//! # What happens next
//! Any event that may: all orders are tried. Time stands still while there is something to do, and
//! then jumps to the next timer; a [`Fault::Late`](setup::Fault::Late) lets it jump over what is
//! under way. Faults and deeds may come in every state until their number is used up.
//!
//! # When two states are one
//! When their hashes are. A tab's hash covers its whole engine except counters, the last reading of
//! the clock, when a lease was handed out, and what was shown of the machine, none of which decides
//! anything. Tickets, attempts, reads, writes, revocations, loads, stores and waiters are given new
//! names in the order in which they stand.
//! Randomness follows from the tab, the time and the generation; there is no jitter, so that all
//! timers fire in the same millisecond, and waits are a fixed part of their bound.
//!
//! # What it does not go through
//! More faults and deeds than a search says; the user's idleness and the maximum age (virtual
//! worlds have them); clocks that jump; other credentials than refresh tokens; more than two
//! lifetimes of a token. A revocation that is under way when its page is loaded again arrives at
//! once.

pub mod explore;
pub mod moves;
mod rules;
pub mod server;
pub mod setup;
pub mod tab;
mod troubles;
pub mod world;
