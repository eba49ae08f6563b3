//! The moves that lead out of a state.

use std::sync::Arc;

use everfresh::core::clock::Millis;

use crate::{
    setup::{Deed, Defect, Fault, Setup},
    tab::{Flight, Stage, Tab},
    world::World,
};

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// The timer of a tab.
    Timer(usize),
    /// The lock goes to the next in line, or the browser says that it has none.
    Lock(usize),
    /// Storage does what a tab asked for first.
    Storage(usize),
    /// A message reaches the other tab.
    Message(usize, usize),
    /// A refresh reaches the server.
    Arrive(usize),
    /// The answer reaches the tab.
    Answer(usize),
    /// The answer to an attempt that the tab has given up reaches it all the same.
    Belated(usize),
    /// A revocation reaches the server, and its answer the tab.
    Revoke(usize),
    /// Nothing happens until the next timer.
    Wait,
    /// A frozen page runs again.
    Resume(usize),
    /// A request that nobody waits for reaches the server.
    Stray(usize),
    /// Something goes wrong, in this tab.
    Fault(Fault, usize, usize),
    /// Somebody does something in this tab.
    Deed(Deed, usize),
}

impl World {
    /// All moves. When there is none the run is over.
    #[must_use]
    pub fn moves(&self, setup: &Setup) -> Vec<Move> {
        let mut moves = self.ordinary(setup);
        let waits = moves.is_empty();
        if waits && self.next_alarm(setup).is_some() {
            moves.push(Move::Wait);
        }
        if self.now < setup.trouble_until {
            moves.extend(self.loose_ends());
            self.troubles(!waits, setup, &mut moves);
        }
        moves
    }

    /// Whether nothing happens any more: the run is at its end, or waits for somebody who may not
    /// come.
    #[must_use]
    pub fn rests(&self, setup: &Setup) -> bool {
        self.ordinary(setup).is_empty() && self.next_alarm(setup).is_none()
    }

    /// What happens by itself. Time does not pass while there is any of it, unless it is late.
    pub(crate) fn ordinary(&self, setup: &Setup) -> Vec<Move> {
        let mut moves = Vec::new();
        for (id, tab) in self.tabs.iter().enumerate() {
            let granted = self.lock.holder.is_none() || setup.has(Defect::LockGrantedTwice);
            let next_in_line = granted && self.lock.queue.front() == Some(&id);
            if next_in_line || !setup.locks && tab.ticket.is_some() && !tab.frozen {
                moves.push(Move::Lock(id));
            }
            if matches!(tab.flight, Some(Flight { stage: Stage::Asked(_), .. })) {
                moves.push(Move::Arrive(id));
            }
            if tab.revokes.iter().any(|revoke| !revoke.heard || !tab.frozen) {
                moves.push(Move::Revoke(id));
            }
            if tab.frozen {
                continue;
            }
            if tab.alarm().is_some_and(|at| at <= self.now) && !setup.has(Defect::TimersNeverFire) {
                moves.push(Move::Timer(id));
            }
            if !tab.storage.is_empty() {
                moves.push(Move::Storage(id));
            }
            if matches!(tab.flight, Some(Flight { stage: Stage::Answered(_), .. })) {
                moves.push(Move::Answer(id));
            }
            for from in 0..self.tabs.len() {
                if !self.channel[self.line(from, id)].is_empty() {
                    moves.push(Move::Message(from, id));
                }
            }
        }
        moves
    }

    /// What may happen at any later moment.
    fn loose_ends(&self) -> Vec<Move> {
        let frozen = self.tabs.iter().enumerate().filter(|(_, tab)| tab.frozen);
        let resumes = frozen.map(|(id, _)| Move::Resume(id));
        let hears = |(_, tab): &(usize, &Arc<Tab>)| !tab.frozen && tab.belated.is_some();
        let belated = self.tabs.iter().enumerate().filter(hears).map(|(id, _)| Move::Belated(id));
        resumes.chain(belated).chain((0..self.strays.len()).map(Move::Stray)).collect()
    }

    /// The next timer of any page that runs.
    pub(crate) fn next_alarm(&self, setup: &Setup) -> Option<Millis> {
        let running = self.tabs.iter().filter(|tab| !tab.frozen);
        running
            .filter_map(|tab| tab.alarm())
            .filter(|at| *at > self.now && *at < setup.horizon)
            .min()
    }
}
