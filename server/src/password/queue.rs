//! Who may hash a password next. Kept by hand: a semaphore has one queue for all, in which a single
//! address could stand before everybody else.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::Block;
use tokio::sync::oneshot::{Receiver, Sender, channel};

/// Where a password comes from; all whose address is not known count as one.
pub(super) type Party = Option<IpAddr>;

/// A bounded queue for the few buffers that there are. The addresses that wait take turns, so that
/// one that sends many passwords waits for its own and holds up nobody else.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// The buffers that nobody uses.
    idle: Vec<Vec<Block>>,
    /// The addresses that wait, the next one first.
    turns: VecDeque<Party>,
    lines: HashMap<Party, VecDeque<Sender<Permit>>>,
    /// How many wait in all.
    count: usize,
}

impl Queue {
    pub(super) fn new() -> Self {
        let idle = (0..AT_ONCE).map(|_| Vec::new()).collect();
        let (turns, lines) = (VecDeque::new(), HashMap::new());
        Self { waiting: Mutex::new(Waiting { idle, turns, lines, count: 0 }) }
    }

    /// Waits for a buffer, or says at once that too many do.
    pub(super) async fn enter(self: &Arc<Self>, party: Party) -> Result<Permit, Full> {
        let turn = match self.join(party)? {
            Ok(permit) => return Ok(permit),
            Err(turn) => turn,
        };
        // The queue outlives this call, and every turn comes.
        turn.await.map_err(|_| Full)
    }

    fn join(self: &Arc<Self>, party: Party) -> Result<Result<Permit, Receiver<Permit>>, Full> {
        let mut waiting = self.waiting();
        if let Some(buffer) = waiting.idle.pop() {
            return Ok(Ok(Permit { buffer: Some(buffer), queue: Arc::clone(self) }));
        }
        let Waiting { turns, lines, count, .. } = &mut *waiting;
        let line = lines.entry(party).or_default();
        if line.len() >= EACH || *count >= ALL {
            if line.is_empty() {
                lines.remove(&party);
            }
            return Err(Full);
        }
        if line.is_empty() {
            turns.push_back(party);
        }
        let (turn, waits) = channel();
        line.push_back(turn);
        *count += 1;
        Ok(Err(waits))
    }

    /// Gives a buffer to the one whose turn it is, or keeps it.
    fn hand_on(self: &Arc<Self>, buffer: Vec<Block>) {
        let mut permit = Permit { buffer: Some(buffer), queue: Arc::clone(self) };
        while let Some(next) = self.next_or_keep(&mut permit) {
            match next.send(permit) {
                Ok(()) => return,
                // Nobody waits there any more.
                Err(unused) => permit = unused,
            }
        }
    }

    fn next_or_keep(&self, permit: &mut Permit) -> Option<Sender<Permit>> {
        let mut waiting = self.waiting();
        let Waiting { idle, turns, lines, count } = &mut *waiting;
        let next = turns.pop_front().and_then(|party| {
            let line = lines.get_mut(&party)?;
            let next = line.pop_front();
            if line.is_empty() {
                lines.remove(&party);
            } else {
                turns.push_back(party);
            }
            next
        });
        match next {
            Some(_) => *count -= 1,
            None => idle.extend(permit.buffer.take()),
        }
        next
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer for as long as it is held: by the thread that hashes, and not by the request that waits
/// for it.
#[derive(Debug)]
pub(super) struct Permit {
    /// Gone when it has been given back.
    buffer: Option<Vec<Block>>,
    queue: Arc<Queue>,
}

impl Permit {
    /// Memory of so many blocks. It is kept from one password to the next: given back, it would
    /// stay with the allocator of each thread that ever hashed.
    pub(super) fn blocks(&mut self, count: usize) -> &mut [Block] {
        let buffer = self.buffer.get_or_insert_default();
        if buffer.len() < count {
            buffer.resize(count, Block::new());
        }
        &mut buffer[..count]
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.queue.hand_on(buffer);
        }
    }
}

/// Too many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// How many passwords are hashed at once, each in a buffer of its own.
pub(super) const AT_ONCE: usize = 2;
/// How many of one address may wait.
pub(super) const EACH: usize = 16;
/// How many may wait in all.
pub(super) const ALL: usize = 64;

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn one_that_is_full_says_so_and_holds_up_nobody_else() {
        let queue = Arc::new(Queue::new());
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(queue.join(at(1)).unwrap().unwrap());
        }
        let waiting: Vec<_> = (0..EACH).map(|_| queue.join(at(1)).unwrap().unwrap_err()).collect();
        assert!(queue.join(at(1)).is_err(), "the address has its share");
        let mut other = queue.join(at(2)).unwrap().unwrap_err();
        held.truncate(1);
        held.clear();
        assert!(other.try_recv().is_ok(), "the second turn is the other address's");
        drop(waiting);
    }

    #[test]
    fn there_is_a_limit_for_all_together() {
        let queue = Arc::new(Queue::new());
        let _held: Vec<_> = (0..AT_ONCE).map(|_| queue.join(at(0)).unwrap().unwrap()).collect();
        let waiting: Vec<_> = (0..ALL).map(|n| queue.join(at(n)).unwrap().unwrap_err()).collect();
        assert!(queue.join(at(ALL)).is_err());
        assert_eq!(waiting.len(), ALL);
    }

    #[test]
    fn buffers_are_never_more_and_never_less() {
        let queue = Arc::new(Queue::new());
        let mut held: Vec<_> = (0..AT_ONCE).map(|_| queue.join(at(0)).unwrap().unwrap()).collect();
        // Some give up waiting, one after its turn has come and before it has noticed.
        let gone = queue.join(at(1)).unwrap().unwrap_err();
        let mut late = Box::pin(queue.enter(at(2)));
        assert!(late.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(gone);
        held.pop();
        drop(late);
        held.clear();
        let again: Vec<_> = (0..AT_ONCE).map(|_| queue.join(at(0)).unwrap().unwrap()).collect();
        let mut next = pin!(queue.enter(at(0)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(next.as_mut().poll(&mut context).is_pending());
        drop(again);
        let Poll::Ready(Ok(_held)) = next.as_mut().poll(&mut context) else { panic!("no turn") };
        assert_eq!(queue.waiting().idle.len(), AT_ONCE - 1);
    }

    fn at(number: usize) -> Party {
        Some(IpAddr::from((number as u32).to_be_bytes()))
    }
}
