//! What all routes share.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::audit::Audit;
use crate::clock::Clock;
use crate::config::Settings;
use crate::events::Events;
use crate::instrumented_store::InstrumentedStore;
use crate::jwt::{Issuer, Keyring};
use crate::limits::Limits;
use crate::password::Passwords;
use crate::rotation::Pepper;
use crate::stats::Stats;
use crate::store::{Fence, RotationContext, Store};

/// The server behind the routes; clones share it.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// The parts of an [`AppState`].
#[derive(Debug)]
pub struct Shared {
    /// What the operator decided.
    pub settings: Settings,
    /// The time.
    pub clock: Clock,
    /// Users and sessions.
    pub store: Arc<dyn Store>,
    /// Access tokens.
    pub issuer: Issuer,
    /// The server's share in refresh tokens.
    pub pepper: Pepper,
    /// Password hashing.
    pub passwords: Passwords,
    /// How much one party may do.
    pub limits: Limits,
    /// Counters.
    pub stats: Arc<Stats>,
    /// What gateways hear.
    pub events: Arc<Events>,
    /// What is written down about sessions.
    pub audit: Arc<Audit>,
    /// Whether the keys in a shared store are ours.
    pub fence: Arc<Fence>,
    /// The handlers at work.
    pub(crate) work: TaskTracker,
}

impl AppState {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        settings: Settings,
        clock: Clock,
        store: Arc<dyn Store>,
        keys: Keyring,
        passwords: Passwords,
    ) -> Self {
        let name = || settings.issuer.clone();
        let issuer = Issuer::new(name(), name(), settings.leeway, keys);
        let (stats, events) = (Arc::new(Stats::default()), Arc::new(Events::default()));
        let fence = Arc::new(Fence::default());
        let audit = Arc::new(Audit::new(issuer.keys.audit_salt(), settings.audit));
        let store = Arc::new(InstrumentedStore {
            store,
            clock: clock.clone(),
            events: Arc::clone(&events),
            audit: Arc::clone(&audit),
            stats: Arc::clone(&stats),
            fence: Arc::clone(&fence),
        });
        Self(Arc::new(Shared {
            pepper: issuer.keys.pepper(),
            limits: Limits::new(settings.limits.then_some(settings.rates)),
            settings,
            clock,
            store,
            issuer,
            passwords,
            stats,
            events,
            audit,
            fence,
            work: TaskTracker::new(),
        }))
    }

    /// Resolves when no handler is at work any more. Those whose clients have hung up outlive their
    /// connections; what they do is to be finished before a server ends.
    pub async fn finished(&self) {
        self.work.close();
        self.work.wait().await;
    }

    /// What a store must know to decide about refreshes as this server's settings demand.
    #[must_use]
    pub fn terms(settings: &Settings, keys: &Keyring) -> RotationContext {
        RotationContext { pepper: keys.pepper(), rules: settings.rules() }
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppState").field("settings", &self.settings).finish_non_exhaustive()
    }
}
