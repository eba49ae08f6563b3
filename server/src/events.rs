//! What gateways hear: that a session has ended and its access tokens with it.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::rotation::Millis;

/// Tells everybody who listens; whoever does not listen misses it.
#[derive(Debug)]
pub struct Events(Mutex<Option<Sender<Event>>>);

impl Events {
    /// How many events a slow listener may fall behind before it is told that it missed some.
    pub const BACKLOG: usize = 1_024;

    /// Tells an event.
    pub fn publish(&self, event: Event) {
        if let Some(sender) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // An error says that nobody listens.
            let _ = sender.send(event);
        }
    }

    /// All events from now on; nothing once [`Self::close`] was called.
    #[must_use]
    pub fn subscribe(&self) -> Option<Receiver<Event>> {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().map(Sender::subscribe)
    }

    /// Ends every subscription, so that a server that stops need not wait for its listeners.
    pub fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Default for Events {
    fn default() -> Self {
        Self(Mutex::new(Some(channel(Self::BACKLOG).0)))
    }
}

/// Access tokens that are worth nothing from now on, whatever their expiry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The one token, or none: then it is every token of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The session.
    pub sid: String,
    /// Why, in one word.
    pub reason: String,
    /// When, in epoch milliseconds.
    pub at: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_heard_by_those_who_listen_and_by_nobody_after_the_end() {
        let events = Events::default();
        let event = |at| Event { jti: None, sid: "s".to_owned(), reason: "logout".to_owned(), at };
        events.publish(event(1));
        let mut heard = events.subscribe().unwrap();
        events.publish(event(2));
        assert_eq!(heard.try_recv(), Ok(event(2)));
        events.close();
        events.publish(event(3));
        assert!(heard.try_recv().is_err() && events.subscribe().is_none());
    }
}
