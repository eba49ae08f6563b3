//! Who may hash a password next. Kept by hand: a semaphore has one queue for all, in which a single
//! address could stand before everybody else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::Block;
use tokio::sync::oneshot::{Receiver, Sender, channel};

use super::failures::{Failures, Record};
use super::{Caller, Party};

/// A bounded queue for the few buffers that there are. The address with the fewest wrong passwords
/// lately comes first, so that those who guess wait behind those who do not. Among equals addresses
/// take turns, so that one that sends many passwords waits for its own and holds up no other.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// The buffers that nobody uses.
    idle: Vec<Vec<Block>>,
    /// Of those that are equal, the next one first. None is empty.
    lines: VecDeque<Line>,
    failures: Failures,
}

/// Those of one address that wait, the next one first.
#[derive(Debug)]
struct Line {
    party: Party,
    turns: VecDeque<Sender<Permit>>,
}

impl Queue {
    pub(super) fn new() -> Self {
        let idle = (0..AT_ONCE).map(|_| Vec::new()).collect();
        let waiting = Waiting { idle, lines: VecDeque::new(), failures: Failures::new() };
        Self { waiting: Mutex::new(waiting) }
    }

    /// Waits for a buffer, or says, at once or while it waits, that too many do.
    pub(super) async fn enter(self: &Arc<Self>, caller: Caller) -> Result<Permit, Full> {
        let turn = match self.join(caller)? {
            Ok(permit) => return Ok(permit),
            Err(turn) => turn,
        };
        // The queue outlives this call, and a turn that is not given up for another's comes.
        turn.await.map_err(|_| Full)
    }

    /// Takes note that a password was wrong.
    pub(super) fn count_failure(&self, party: Party) {
        self.waiting().failures.add(party);
    }

    fn join(self: &Arc<Self>, caller: Caller) -> Result<Result<Permit, Receiver<Permit>>, Full> {
        let mut waiting = self.waiting();
        waiting.failures.tell(caller.now);
        if let Some(buffer) = waiting.idle.pop() {
            return Ok(Ok(Permit { buffer: Some(buffer), queue: Arc::clone(self) }));
        }
        let party = caller.party;
        let before = waiting.line(party).map_or(0, |line| line.turns.len());
        if before >= EACH {
            return Err(Full);
        }
        let count: usize = waiting.lines.iter().map(|line| line.turns.len()).sum();
        if count >= ALL {
            waiting.give_one_up_for(party, before + 1)?;
        }
        let (turn, waits) = channel();
        match waiting.line(party) {
            Some(line) => line.turns.push_back(turn),
            None => waiting.lines.push_back(Line { party, turns: VecDeque::from([turn]) }),
        }
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
        let next = waiting.next();
        if next.is_none() {
            waiting.idle.extend(permit.buffer.take());
        }
        next
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn line(&mut self, party: Party) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.party == party)
    }

    fn next(&mut self) -> Option<Sender<Permit>> {
        let mut standing = |line: &Line| self.failures.of(line.party);
        let (first, _) = self.lines.iter().enumerate().min_by_key(|(_, line)| standing(line))?;
        let mut line = self.lines.remove(first)?;
        let next = line.turns.pop_front();
        if !line.turns.is_empty() {
            self.lines.push_back(line);
        }
        next
    }

    /// Sends the last one away, so that another can wait: of the address with the most wrong
    /// passwords, and of equals that with the most that wait. If the other would be that one itself,
    /// everybody stays.
    fn give_one_up_for(&mut self, party: Party, length: usize) -> Result<(), Full> {
        let mut rank = |party, length| -> (Record, usize) { (self.failures.of(party), length) };
        let own = rank(party, length);
        let ranks = self.lines.iter().map(|line| rank(line.party, line.turns.len()));
        let (worst, last) = ranks.enumerate().max_by_key(|(_, rank)| *rank).ok_or(Full)?;
        if last <= own {
            return Err(Full);
        }
        let line = self.lines.get_mut(worst).ok_or(Full)?;
        line.turns.pop_back();
        if line.turns.is_empty() {
            self.lines.remove(worst);
        }
        Ok(())
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
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use tokio::sync::oneshot::error::TryRecvError;

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
    fn an_address_without_failures_waits_for_nobody_who_guesses() {
        let queue = Arc::new(Queue::new());
        let mut held: Vec<_> = (0..AT_ONCE).map(|_| queue.join(at(0)).unwrap().unwrap()).collect();
        (0..ALL).for_each(|number| queue.count_failure(at(number).party));
        let mut guesses: Vec<_> =
            (0..ALL).map(|n| queue.join(at(n)).unwrap().unwrap_err()).collect();
        let mut honest = queue.join(FAR).unwrap().unwrap_err();
        assert!(queue.join(at(3)).is_err(), "one that guesses sends nobody away");
        assert!(honest.try_recv().is_err());
        held.pop();
        let turn = honest.try_recv().expect("the first buffer is the honest one's");
        drop(turn);
        let served = guesses.iter_mut().filter_map(|guess| guess.try_recv().ok()).count();
        assert_eq!(served, ALL - 1, "one had to go for the honest one, and the others got on");
        assert!(honest.try_recv().is_err());
    }

    #[test]
    fn fresh_addresses_of_a_network_that_guesses_wait_behind_others() {
        let queue = Arc::new(Queue::new());
        let mut held: Vec<_> = (0..AT_ONCE).map(|_| queue.join(at(0)).unwrap().unwrap()).collect();
        let guesses: Vec<_> = (1..ALL).map(|n| queue.join(at(n)).unwrap().unwrap_err()).collect();
        let mut honest = queue.join(FAR).unwrap().unwrap_err();
        // The guess that was looked at meanwhile was wrong: it tells of those that wait as well.
        queue.count_failure(at(0).party);
        held.pop();
        assert!(honest.try_recv().is_ok());
        drop(guesses);
    }

    #[test]
    fn whoever_mistyped_once_waits_for_no_network_that_guesses() {
        let queue = Arc::new(Queue::new());
        let mut held: Vec<_> = (0..AT_ONCE).map(|_| queue.join(FAR).unwrap().unwrap()).collect();
        queue.count_failure(FAR.party);
        let of_site = |number: usize| Caller {
            party: Some(Ipv6Addr::new(0x2001, 0xdb8, 1, number as u16, 0, 0, 0, 0).into()),
            now: 0,
        };
        (0..ALL).for_each(|number| queue.count_failure(of_site(number).party));
        let guesses: Vec<_> =
            (0..ALL).map(|n| queue.join(of_site(1_000 + n)).unwrap().unwrap_err()).collect();
        let mut honest = queue.join(FAR).unwrap().unwrap_err();
        held.pop();
        assert!(honest.try_recv().is_ok());
        drop(guesses);
    }

    #[test]
    fn a_few_addresses_cannot_take_all_places() {
        let queue = Arc::new(Queue::new());
        let held: Vec<_> = (0..AT_ONCE).map(|_| queue.join(at(0)).unwrap().unwrap()).collect();
        let few = ALL / EACH;
        let mut waiting = Vec::new();
        for number in (0..few).cycle().take(ALL) {
            waiting.push(queue.join(at(256 * number)).unwrap().unwrap_err());
        }
        let mut other = queue.join(FAR).unwrap().unwrap_err();
        let gone = waiting.iter_mut().map(closed).filter(|closed| *closed).count();
        assert_eq!(gone, 1);
        assert!(!closed(&mut other));
        drop(held);
    }

    fn closed(turn: &mut Receiver<Permit>) -> bool {
        turn.try_recv().is_err_and(|error| error == TryRecvError::Closed)
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

    fn at(number: usize) -> Caller {
        Caller { party: Some(IpAddr::from((number as u32).to_be_bytes())), now: 0 }
    }

    const FAR: Caller = Caller { party: Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7))), now: 0 };
}
