//! Many worlds, on all cores.

use std::{
    fs,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{invariants::Broken, plan::Plan, statistics::Statistics, world::World};

/// What many worlds came to.
#[derive(Debug, Default)]
pub struct Runs {
    /// All that was counted.
    pub statistics: Statistics,
    /// The time that it took of one core.
    pub spent: Duration,
    /// The seeds of worlds that broke a promise, ascending.
    pub failed: Vec<(u64, Broken)>,
}

/// Runs `worlds` worlds from seed `from` on, until the time is over or `enough` have failed. The
/// first failure is the same in every run.
#[must_use]
pub fn run(worlds: u64, limit: Option<Duration>, from: u64, enough: usize) -> Runs {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    let next = AtomicU64::new(from);
    let runs = Mutex::new(Runs::default());
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let mut statistics = Statistics::default();
                let begun_here = cpu_time();
                while lock(&runs).failed.len() < enough
                    && limit.is_none_or(|limit| begun.elapsed() < limit)
                {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + worlds {
                        break;
                    }
                    let mut world = World::new(Plan::random(seed));
                    if let Some(broken) = world.run() {
                        lock(&runs).failed.push((seed, broken));
                    }
                    statistics.add(&world.statistics);
                }
                let mut runs = lock(&runs);
                runs.statistics.add(&statistics);
                runs.spent += cpu_time() - begun_here;
            });
        }
    });
    let mut runs = runs.into_inner().unwrap_or_else(PoisonError::into_inner);
    runs.failed.sort_by_key(|(seed, _)| *seed);
    runs
}

/// How long this thread has computed; Linux says, elsewhere the wall clock has to do.
#[must_use]
pub fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|number| number.parse().ok());
    nanoseconds.map_or_else(
        || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        Duration::from_nanos,
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
