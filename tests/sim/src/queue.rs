//! What is still to come, in order of time.

use std::{cmp::Reverse, collections::BinaryHeap};

use everfresh::core::clock::Millis;

/// When something comes, and its place among what comes at the same time.
pub(crate) type Turn = (Millis, u64);

/// A queue by time; first come, first served among what is due together.
///
/// One deadline a tab is kept beside the heap: setting it anew takes the old one back, so that no
/// timer is left behind to be passed over later.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<(Turn, usize)>>,
    slots: Vec<Option<T>>,
    free: Vec<usize>,
    deadlines: Vec<Option<Turn>>,
    order: u64,
}

/// What is next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<T> {
    Event(T),
    /// The deadline of this tab.
    Deadline(usize),
}

impl<T> Queue<T> {
    pub(crate) const fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            deadlines: Vec::new(),
            order: 0,
        }
    }

    pub(crate) fn add(&mut self, at: Millis, event: T) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(event);
        let turn = self.turn(at);
        self.heap.push(Reverse((turn, slot)));
    }

    pub(crate) fn set_deadline(&mut self, tab: usize, at: Option<Millis>) {
        if self.deadlines.len() <= tab {
            self.deadlines.resize(tab + 1, None);
        }
        self.deadlines[tab] = at.map(|at| self.turn(at));
    }

    /// Takes what is next, and when it is.
    pub(crate) fn next(&mut self) -> Option<(Millis, Next<T>)> {
        let due = |(tab, turn): (usize, &Option<Turn>)| Some(((*turn)?, tab));
        let deadline = self.deadlines.iter().enumerate().filter_map(due).min();
        let event = self.heap.peek().map(|Reverse((turn, _))| *turn);
        match (deadline, event) {
            (Some((turn, tab)), event) if event.is_none_or(|event| turn < event) => {
                self.deadlines[tab] = None;
                Some((turn.0, Next::Deadline(tab)))
            }
            _ => {
                let Reverse(((at, _), slot)) = self.heap.pop()?;
                self.free.push(slot);
                Some((at, Next::Event(self.slots[slot].take()?)))
            }
        }
    }

    const fn turn(&mut self, at: Millis) -> Turn {
        self.order += 1;
        (at, self.order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_together_comes_in_the_order_in_which_it_was_added() {
        let mut queue = Queue::new();
        queue.add(5, "b");
        queue.set_deadline(3, Some(5));
        queue.add(5, "c");
        queue.add(1, "a");
        let order = std::iter::from_fn(|| queue.next()).collect::<Vec<_>>();
        let event = |at, name| (at, Next::Event(name));
        assert_eq!(order, [event(1, "a"), event(5, "b"), (5, Next::Deadline(3)), event(5, "c")]);
    }

    #[test]
    fn a_new_deadline_takes_the_old_one_back() {
        let mut queue = Queue::<()>::new();
        queue.set_deadline(0, Some(5));
        queue.set_deadline(0, Some(9));
        assert_eq!(queue.next(), Some((9, Next::Deadline(0))));
        queue.set_deadline(0, Some(12));
        queue.set_deadline(0, None);
        assert_eq!(queue.next(), None);
    }
}
