//! The search: breadth first, level by level, on all cores. What breaks a promise is therefore told
//! by a shortest story.
//!
//! It is our own and not a model checker such as stateright, which was looked at (0.31, MIT). That
//! one keeps whole states or whole paths behind a trait of its own, and what is special here would
//! still be ours: names that are given anew so that states meet, time that passes only at rest,
//! limits that are counted, promises that look at a run's end. The loop itself is two hundred lines.
//!
//! Seen states are kept as hashes of 64 bits. With ten million of them the odds that two collide
//! anywhere, and something is overlooked, are about one in four hundred thousand.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use everfresh::core::clock::Millis;

use crate::{moves::Move, setup::Setup, world::World};

/// The seen states are spread over so many maps, so that the cores seldom wait for each other.
const SHARDS: usize = 256;

/// So many states are taken from a level at once.
const CHUNK: usize = 64;

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Different states.
    pub states: u64,
    /// Moves between them.
    pub moves: u64,
    /// Runs that came to their end.
    pub ends: u64,
    /// Runs that met a known limit, by limit.
    pub limits: BTreeMap<&'static str, u64>,
    /// Moves of the longest way to a state on a shortest way.
    pub depth: usize,
    /// The first promise that was broken, and a shortest way there.
    pub story: Option<Story>,
}

/// How a promise comes to be broken.
#[derive(Clone, Debug)]
pub struct Story {
    /// Which.
    pub promise: String,
    /// Move by move.
    pub moves: Vec<Move>,
    /// The same for readers.
    pub lines: Vec<String>,
}

/// The state from which each state was first reached.
struct Seen(Vec<Mutex<HashMap<u64, u64, BuildHasherDefault<Identity>>>>);

/// States are hashes already.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, print: u64) {
        self.0 = print;
    }
}

impl Seen {
    fn new() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }

    /// Whether the state is new.
    fn note(&self, print: u64, from: u64) -> bool {
        // The map uses the high bits and the low ones; these lie between.
        let shard = (print >> 24) as usize % SHARDS;
        let mut seen = self.0[shard].lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = false;
        seen.entry(print).or_insert_with(|| {
            new = true;
            from
        });
        new
    }

    fn before(&self, print: u64) -> u64 {
        let shard = (print >> 24) as usize % SHARDS;
        let seen = self.0[shard].lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&print).copied().unwrap_or(print)
    }
}

/// Goes through every state that can be reached, until all are known or a promise is broken.
#[must_use]
pub fn explore(setup: &Setup, cores: usize) -> Findings {
    let seen = Seen::new();
    let first = World::signed_in(setup);
    let mut level = vec![(first.print(), first)];
    seen.note(level[0].0, level[0].0);
    let mut findings = Findings { states: 1, ..Findings::default() };
    loop {
        let mut found = expand(setup, &level, &seen, cores);
        findings.moves += found.moves;
        findings.ends += found.ends;
        for (limit, count) in found.limits {
            *findings.limits.entry(limit).or_default() += count;
        }
        // Which of several comes first must not depend on the cores.
        found.broken.sort_by(|a, b| (&a.promise, a.from).cmp(&(&b.promise, b.from)));
        if let Some(broken) = found.broken.into_iter().next() {
            findings.story = Some(tell(setup, &seen, broken));
            return findings;
        }
        if found.next.is_empty() {
            return findings;
        }
        level = found.next;
        findings.states += level.len() as u64;
        findings.depth += 1;
    }
}

/// What was found behind the states of one level.
#[derive(Default)]
struct Found {
    moves: u64,
    ends: u64,
    limits: BTreeMap<&'static str, u64>,
    broken: Vec<Broken>,
    next: Vec<(u64, World)>,
}

/// A promise that is broken in a state, or by a move out of it.
struct Broken {
    promise: String,
    from: u64,
    by: Option<Move>,
}

impl Found {
    fn add(&mut self, mut other: Self) {
        self.moves += other.moves;
        self.ends += other.ends;
        for (limit, count) in other.limits {
            *self.limits.entry(limit).or_default() += count;
        }
        self.broken.append(&mut other.broken);
        self.next.append(&mut other.next);
    }

    fn look(&mut self, setup: &Setup, seen: &Seen, from: u64, world: &World) {
        if world.rests(setup) {
            self.ends += 1;
            let mut last = world.clone();
            last.watch_last();
            if let Some(promise) = last.broken {
                self.broken.push(Broken { promise, from, by: None });
            }
        }
        for step in world.moves(setup) {
            self.moves += 1;
            let after = world.after(step, setup);
            if let Some(promise) = after.broken {
                self.broken.push(Broken { promise, from, by: Some(step) });
            } else if let Some(limit) = after.limit {
                *self.limits.entry(limit).or_default() += 1;
            } else {
                let print = after.print();
                if seen.note(print, from) {
                    self.next.push((print, after));
                }
            }
        }
    }
}

fn expand(setup: &Setup, level: &[(u64, World)], seen: &Seen, cores: usize) -> Found {
    let taken = AtomicUsize::new(0);
    let all = Mutex::new(ReadResult::default());
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let mut mine = ReadResult::default();
                loop {
                    let from = taken.fetch_add(CHUNK, Ordering::Relaxed);
                    if from >= level.len() {
                        break;
                    }
                    for (print, world) in &level[from..level.len().min(from + CHUNK)] {
                        mine.look(setup, seen, *print, world);
                    }
                }
                all.lock().unwrap_or_else(PoisonError::into_inner).add(mine);
            });
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Walks the way to a state once more, and tells it.
fn tell(setup: &Setup, seen: &Seen, broken: Broken) -> Story {
    let mut way = vec![broken.from];
    while let Some(&at) = way.last() {
        let before = seen.before(at);
        if before == at {
            break;
        }
        way.push(before);
    }
    way.reverse();
    let mut world = World::signed_in(setup);
    let mut moves = Vec::new();
    for print in &way[1..] {
        let after = |step: &Move| world.after(*step, setup);
        let found = world.moves(setup).into_iter().find(|step| after(step).print() == *print);
        let Some(step) = found else { break };
        moves.push(step);
        world = world.after(step, setup);
    }
    moves.extend(broken.by);
    let lines = retell(setup, &moves);
    Story { promise: broken.promise, moves, lines }
}

fn seconds(now: Millis) -> String {
    format!("{:>7.3}", now as f64 / 1_000.0)
}

/// A run, line by line.
#[must_use]
pub fn retell(setup: &Setup, moves: &[Move]) -> Vec<String> {
    let mut world = World::signed_in(setup);
    let mut lines = Vec::new();
    for step in moves {
        world = world.after(*step, setup);
        let tabs: Vec<String> = world.tabs.iter().map(|tab| tab.line()).collect();
        lines.push(format!(
            "{}  {:<34} {}",
            seconds(world.now),
            format!("{step:?}"),
            tabs.join(" | ")
        ));
    }
    lines
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        write!(f, "broken: {}", self.promise)
    }
}
