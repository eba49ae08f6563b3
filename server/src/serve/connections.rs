//! The connections that are open: never more than there may be, and none that only waits keeps out
//! one that has come to work.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

/// All of a listener.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    ticks: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
}

/// One, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    all: Arc<Connections>,
    pub(super) connection: Arc<Connection>,
}

/// What others may know of a connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Since when it has been waiting for its client, in ticks; 0 while it is not.
    waiting: AtomicU64,
    cut: Notify,
}

impl Connections {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, ticks: AtomicU64::new(0), open: Mutex::default() })
    }

    /// A place for another one. When there is none left, the one that has been waiting for its client
    /// the longest is cut for it; while none waits, there is no place.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.open();
        if open.len() >= self.most {
            let waiting = open.iter().filter_map(|(number, connection)| {
                let since = connection.waiting.load(Ordering::Relaxed);
                (since > 0).then_some((since, *number))
            });
            let (_, longest) = waiting.min()?;
            if let Some(connection) = open.remove(&longest) {
                connection.cut.notify_one();
            }
        }
        let number = self.tick();
        let connection =
            Arc::new(Connection { waiting: AtomicU64::new(number), cut: Notify::new() });
        open.insert(number, Arc::clone(&connection));
        Some(Place { number, all: Arc::clone(self), connection })
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Resolves when the connection has to make room.
    pub(super) async fn cut(&self) {
        self.connection.cut.notified().await;
    }

    /// The request is there but for its body: once that is read or thrown away, it is at work.
    pub(super) fn reading<B: Body>(&self, body: B) -> Tracked<B> {
        if body.is_end_stream() {
            self.connection.waiting.store(0, Ordering::Relaxed);
        }
        let connection = Arc::clone(&self.connection);
        Tracked { body, connection, after: 0, taken: None }
    }

    /// The answer is there but for its body. It waits for its client to take that, from one piece to
    /// the next, and then for the next request.
    pub(super) fn writing<B: Body>(&self, body: B) -> Tracked<B> {
        let after = self.all.tick();
        self.connection.waiting.store(after, Ordering::Relaxed);
        let taken = Some(Arc::clone(&self.all));
        Tracked { body, connection: Arc::clone(&self.connection), after, taken }
    }

    /// The same for a body whose pieces the server waits for, and not the client: only once it is
    /// over the connection waits.
    pub(super) fn streaming<B: Body>(&self, body: B) -> Tracked<B> {
        let connection = Arc::clone(&self.connection);
        Tracked { body, connection, after: self.all.tick(), taken: None }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.open().remove(&self.number);
    }
}

/// A body whose end is noted.
#[derive(Debug)]
pub(super) struct Tracked<B> {
    body: B,
    connection: Arc<Connection>,
    /// Since when the connection waits after this.
    after: u64,
    /// What gives the time of each piece that the client takes.
    taken: Option<Arc<Connections>>,
}

impl<B: Body + Unpin> Body for Tracked<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        if let Some(after) = self.taken.as_ref().map(|all| all.tick()) {
            self.after = after;
            self.connection.waiting.store(after, Ordering::Relaxed);
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Tracked<B> {
    fn drop(&mut self) {
        self.connection.waiting.store(self.after, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{Empty, Full};

    use super::*;

    #[test]
    fn the_one_that_has_waited_longest_makes_room_and_none_at_work_does() {
        let all = Connections::new(3);
        let places: Vec<Place> = (0..3).filter_map(|_| all.enter()).collect();
        drop(places[0].reading(Empty::<&[u8]>::new()));
        let fourth = all.enter().unwrap();
        assert!(was_cut(&places[1]) && !was_cut(&places[0]) && !was_cut(&places[2]));
        drop(places[0].writing(Empty::<&[u8]>::new()));
        drop(places[2].reading(Full::new(&b"x"[..])));
        let answer = fourth.writing(Full::new(&b"x"[..]));
        drop(fourth.reading(Empty::<&[u8]>::new()));
        let fifth = all.enter().unwrap();
        assert!(was_cut(&places[0]) && !was_cut(&places[2]) && !was_cut(&fourth));
        drop(fifth.reading(Empty::<&[u8]>::new()));
        assert!(all.enter().is_none(), "all are at work");
        drop(answer);
        assert!(all.enter().is_some() && was_cut(&fourth));
        drop(places);
        assert_eq!(all.open().len(), 1, "those that are gone have no place");
    }

    #[test]
    fn one_whose_client_does_not_take_the_answer_waits_and_one_that_listens_does_not() {
        let all = Connections::new(3);
        let places: Vec<Place> = (0..3).filter_map(|_| all.enter()).collect();
        for place in &places {
            drop(place.reading(Empty::<&[u8]>::new()));
        }
        let _events = places[0].streaming(Full::new(&b"x"[..]));
        let mut taken = places[1].writing(Full::new(&b"x"[..]));
        let _left = places[2].writing(Full::new(&b"x"[..]));
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut taken).poll_frame(&mut context).is_ready());
        let fourth = all.enter().unwrap();
        assert!(was_cut(&places[2]) && !was_cut(&places[1]) && !was_cut(&places[0]));
        drop(fourth.reading(Empty::<&[u8]>::new()));
        assert!(all.enter().is_some() && was_cut(&places[1]) && !was_cut(&places[0]));
    }

    fn was_cut(place: &Place) -> bool {
        let cut = std::pin::pin!(place.cut());
        cut.poll(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }
}
