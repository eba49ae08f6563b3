//! The loop: what happened becomes inputs of the machine, and its effects are performed.

use super::{
    Engine, Happening, Origin,
    endpoint::Exchange,
    host::{Host, Line, Load, Loaded, Notice, Store, Value},
    jwt,
    records::{Purpose, Step},
};
use crate::core::{
    clock::Millis,
    effect::{Effect, Outcome},
    ids::WaiterId,
    input::Input,
    verdict::Answer,
};

/// Longer delays overflow the timers of browsers. The machine is then called early and asks again.
const LONGEST: Millis = 0x7fff_ffff;

impl<H: Host> Engine<H> {
    pub(super) fn happen(&self, happening: Happening<Value<H>>) {
        {
            let mut state = self.state();
            // What comes later is refused by the machine; the application is asked for no lead.
            if state.closed && matches!(happening, Happening::Tokens { .. }) {
                return;
            }
            state.inbox.push(happening);
        }
        self.drain();
    }

    fn drain(&self) {
        if self.working.replace(true) {
            return;
        }
        loop {
            while let Some(happening) = self.next() {
                self.take(happening);
            }
            self.rest();
            // The host may have called back while the timer was set.
            if self.state().inbox.is_empty() {
                break;
            }
        }
        self.working.set(false);
        self.tell();
    }

    fn take(&self, happening: Happening<Value<H>>) {
        let input = self.input(happening);
        let disposes = matches!(input, Input::Dispose) && !self.is_closed();
        let now = self.host.now();
        self.state().session.handle(input, now);
        while let Some(effect) = self.poll() {
            self.perform(effect, now.wall);
        }
        if disposes {
            self.close();
        }
    }

    fn next(&self) -> Option<Happening<Value<H>>> {
        first(&mut self.state().inbox)
    }

    fn poll(&self) -> Option<Effect> {
        self.state().session.poll()
    }

    fn input(&self, happening: Happening<Value<H>>) -> Input {
        let (mut grant, claims, from) = match happening {
            Happening::Input(input) => return input,
            Happening::Tokens { grant, claims, from } => (grant, claims, from),
        };
        grant.lead = self.host.lead(claims.as_ref());
        match from {
            Origin::Start(start) => Input::Start { grant, start },
            Origin::Header(lease) => Input::HeaderToken { grant, lease },
            Origin::Refresh(attempt) => {
                Input::RefreshAnswered { attempt, answer: Answer::Granted(grant) }
            }
        }
    }

    fn perform(&self, effect: Effect, wall: Millis) {
        match effect {
            Effect::SendRefresh { attempt, request } => self.send_refresh(attempt, request),
            Effect::AbortRefresh(attempt) => self.host.abort(attempt),
            Effect::AcquireLock(ticket) => self.host.request_lock(ticket),
            Effect::ReleaseLock(ticket) => self.host.release_lock(ticket),
            Effect::Read(read) => {
                self.state().records.read(Purpose::Read(read));
                self.serve_records();
            }
            Effect::Write { write, record } => {
                self.state().records.write(write, record);
                self.serve_records();
            }
            Effect::Forget => {
                let place = self.state().records.own_place();
                place.into_iter().for_each(|place| self.host.remove(place));
            }
            Effect::Broadcast(text) => self.host.broadcast(&text),
            Effect::Settle { waiter, outcome } => self.settle(waiter, outcome),
            Effect::Lease(lease) => self.host.lease(lease),
            Effect::Revoke { revoke, request } => {
                let sent = self.state().settings.endpoint.revoke::<H::Formats>(&request);
                match sent {
                    Some(request) => self.host.send(Exchange::Revoke(revoke), request),
                    None => {
                        self.host.log(Line::NoRevokeUrl);
                        self.feed(Input::RevokeAnswered { revoke, revoked: true });
                    }
                }
            }
            Effect::Emit(event) => {
                self.state().notices.push(Notice::Event(event, wall));
            }
        }
    }

    pub(super) fn settle(&self, waiter: WaiterId, outcome: Outcome) {
        let found = {
            let waiters = &mut self.state().waiters;
            let at = waiters.iter().position(|(id, _)| *id == waiter);
            at.map(|at| waiters.remove(at).1)
        };
        if let Some(waiter) = found {
            self.host.settle(waiter, outcome);
        }
    }

    /// Does what the storage queue wants done, and what follows from that at once.
    fn serve_records(&self) {
        while let Some(step) = self.next_step() {
            match step {
                Step::Load(load) => {
                    if let Some(loaded) = self.host.load(load) {
                        self.state().records.loaded(load, loaded);
                    }
                }
                Step::SetAside(place, text) => self.host.set_aside(place, &text),
                Step::Remove(place) => self.host.remove(place),
                Step::Store(store, text) => {
                    if let Some(works) = self.host.store(store, &text) {
                        self.state().records.stored(store, works);
                    }
                }
                Step::Tell(input) => self.feed(*input),
            }
        }
    }

    fn next_step(&self) -> Option<Step> {
        self.state().records.next()
    }

    /// Storage answered a load late.
    pub fn loaded(&self, load: Load, loaded: Loaded) {
        self.state().records.loaded(load, loaded);
        self.serve_records();
    }

    /// Storage answered a store late.
    pub fn stored(&self, store: Store, works: bool) {
        self.state().records.stored(store, works);
        self.serve_records();
    }

    /// Another tab has changed the shared record.
    pub fn record_changed(&self) {
        self.state().records.read(Purpose::Changed);
        self.serve_records();
    }

    /// Nothing is left to do: sets the timer, and shows what has changed.
    fn rest(&self) {
        let (delay, changed) = {
            let mut state = self.state();
            let deadline = state.session.next_deadline();
            let snapshot = state.session.snapshot();
            let same =
                snapshot == state.shown && state.session.access_token() == state.token.as_deref();
            if !same {
                state.token = state.session.access_token().map(str::to_owned);
                state.shown = snapshot.clone();
            }
            (deadline.map(|deadline| deadline.after.min(LONGEST)), (!same).then_some(snapshot))
        };
        self.host.wake_after(delay);
        if let Some(snapshot) = changed {
            let claims = self.claims();
            self.host.show(&snapshot, claims.as_ref());
            let notices = &mut self.state().notices;
            // Of several changes only the newest can be looked at.
            notices.retain(|notice| *notice != Notice::Snapshot);
            notices.insert(0, Notice::Snapshot);
        }
    }

    /// What the token in use says.
    fn claims(&self) -> Option<Value<H>> {
        let state = &mut *self.state();
        let token = state.token.as_deref()?;
        match &state.claims {
            Some((known, claims)) if known == token => claims.clone(),
            _ => {
                let claims = jwt::claims::<H::Formats>(token).ok();
                state.claims = Some((token.to_owned(), claims.clone()));
                claims
            }
        }
    }

    /// Tells the observers, unless they are being told: then they hear it next.
    fn tell(&self) {
        if self.telling.replace(true) {
            return;
        }
        loop {
            let notice = first(&mut self.state().notices);
            let Some(notice) = notice else { break };
            self.host.notify(&notice);
        }
        self.telling.set(false);
    }

    fn close(&self) {
        {
            let mut state = self.state();
            state.closed = true;
            state.notices.clear();
        }
        self.host.close();
    }
}

/// Takes the first of a few.
fn first<T>(waiting: &mut Vec<T>) -> Option<T> {
    (!waiting.is_empty()).then(|| waiting.remove(0))
}
