//! Somebody who has copied the stored session and refreshes with it.
//!
//! Whether he must be noticed is judged here without asking the server's rules. He must be
//!
//! - when one token has come with two keys, his and the owner's: at once, whoever came first and
//!   however far ahead either is;
//! - when he is ahead and a tab with the newest tokens asks for what he has long had: not at once,
//!   because the key is the right one and late duplicates look the same, but as long as a tab of
//!   the session is there to ask again.
//!
//! He need not be when neither has happened: he never used a key of his own, or nothing of what
//! either had was used by the other after that, because the owner never came back or the session
//! was over before.

use everfresh::core::{clock::Millis, reason::EndReason};
use everfresh_server::rotation::SessionId;

use crate::{
    browser::TabId,
    plan::{Storage, Theft},
    rng::Rng,
    server::{Reply, Who},
    tab::Tab,
    wire::Asked,
    world::{Event, RECOVERY, World},
};

/// A thief and what he has.
#[derive(Debug)]
pub struct Thief {
    how: Theft,
    victim: TabId,
    rng: Rng,
    /// Between two of his refreshes, on average.
    pace: Millis,
    /// What he copied, once he has.
    loot: Option<Loot>,
    /// How often he has advanced the family with keys of his own.
    ahead: u64,
    trace: Trace,
    /// Since he is ahead: when he and somebody else last had the session.
    open_at: Millis,
}

/// A stolen copy.
#[derive(Debug)]
struct Loot {
    sid: SessionId,
    refresh_token: String,
    /// The owner's key, until he has used it.
    pending_key: Option<String>,
}

/// What there is to be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trace {
    Nothing,
    /// The owner's newest tab was refused what the thief has gone beyond.
    Outrun,
    /// One token came with two keys.
    Clash,
}

/// Who first was granted something for a token, and the key.
#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) who: Who,
    pub(crate) key: String,
    /// How many tokens were spent before it.
    pub(crate) before: usize,
}

impl Thief {
    fn new(how: Theft, victim: TabId, seed: u64, life: Millis) -> Self {
        let mut rng = Rng::new(seed);
        let pace = rng.pick(&[life / 10, life / 3, life, life * 2]);
        Self { how, victim, rng, pace, loot: None, ahead: 0, trace: Trace::Nothing, open_at: 0 }
    }

    fn sid(&self) -> Option<SessionId> {
        self.loot.as_ref().map(|loot| loot.sid)
    }

    /// How long he waits before he refreshes again, if he comes by himself.
    fn pause(&mut self) -> Option<Millis> {
        (self.how != Theft::Close).then(|| self.rng.between(self.pace / 2, self.pace * 3 / 2))
    }

    /// The token and the key with which he comes next.
    fn next_request(&mut self) -> Option<(String, String)> {
        let loot = self.loot.as_mut()?;
        let own = || format!("thief-{:016x}", self.rng.seed());
        Some((loot.refresh_token.clone(), loot.pending_key.take().unwrap_or_else(own)))
    }
}

impl World {
    pub(crate) fn steal(&mut self, victim: TabId, how: Theft) {
        if self.thief.as_ref().is_some_and(|thief| thief.loot.is_some())
            || matches!(self.plan.storage, Storage::Memory | Storage::Broken)
        {
            return;
        }
        // Chance of his own: without him the world goes as it would have gone.
        let seed = self.plan.seed ^ self.now.cast_unsigned() << 20 ^ 0x0007_41ef;
        let life = Millis::from(self.plan.access_ttl) * 1_000;
        self.thief = Some(Thief::new(how, victim, seed, life));
        if how != Theft::PendingKey || self.tabs[victim].attempt.is_some() {
            self.copy();
        }
    }

    /// A request leaves a tab: the moment for which a thief of pending keys waits.
    pub(crate) fn thief_sees_request(&mut self, tab: TabId) {
        if let Some(Thief { how: Theft::PendingKey, victim, loot: None, .. }) = self.thief
            && victim == tab
        {
            self.copy();
        }
    }

    fn copy(&mut self) {
        let Some(thief) = &mut self.thief else { return };
        let texts = self.disk.borrow().texts(thief.victim);
        let Some((access_token, refresh_token, pending_key)) =
            texts.iter().find_map(|text| read(text))
        else {
            return;
        };
        let Some(sid) = self.server.session_of(&access_token) else { return };
        let with_key = thief.how == Theft::PendingKey;
        if with_key && pending_key.is_none() {
            return;
        }
        let pending_key = pending_key.filter(|_| with_key);
        thief.loot = Some(Loot { sid, refresh_token, pending_key });
        let first = match thief.how {
            Theft::OwnKeys => Some(thief.rng.between(0, thief.pace)),
            // Before the owner's request arrives, or while its answer is on the way.
            Theft::PendingKey => Some(thief.rng.between(0, 150)),
            Theft::Close => None,
        };
        let (how, victim) = (thief.how, thief.victim);
        self.statistics.thefts.entry(how).or_default().count += 1;
        self.tell(|| format!("thief      has a copy of what tab {victim} has: {how:?}"));
        if let Some(first) = first {
            self.at(self.now + first, Event::Thief);
        }
    }

    /// The thief refreshes.
    pub(crate) fn thief_comes(&mut self) {
        if !self.stolen_lives() {
            return;
        }
        let Some(thief) = &mut self.thief else { return };
        let Some((token, key)) = thief.next_request() else { return };
        let pause = thief.pause();
        let own = key.starts_with("thief");
        self.truth.stolen |= own;
        let answer = self.present(&token, &key, Who::Thief);
        self.tell(|| format!("thief      comes with {key}, granted: {}", is_granted(&answer)));
        if let Reply::Granted(granted) = answer
            && let Some(thief) = &mut self.thief
            && let Some(loot) = &mut thief.loot
        {
            loot.refresh_token = granted.refresh;
            thief.ahead += u64::from(own);
        }
        if let Some(pause) = pause {
            self.at(self.now + pause, Event::Thief);
        }
    }

    /// A request of the owner has arrived at the server.
    pub(crate) fn owner_comes(&mut self, asked: &Asked, counts: bool) -> Reply {
        let lived = self.stolen_lives();
        let answer = self.present(&asked.token, &asked.key, Who::Owner);
        let family = self.server.session_of(&asked.token);
        // A tab that is behind cannot tell a thief from another tab that was faster.
        let newest = counts && asked.access_token == self.truth.newest.access_token;
        if let Some(thief) = &mut self.thief
            && lived
            && family == thief.sid()
        {
            if thief.ahead > 0 && is_granted(&answer) {
                let seen = format!("both go on: {thief:?}");
                self.broken(NOTICED, seen);
            } else if thief.ahead > 0 && newest && thief.trace == Trace::Nothing {
                thief.trace = Trace::Outrun;
            }
        }
        if let Some(thief) = &mut self.thief
            && thief.how == Theft::Close
        {
            let soon = self.now + thief.rng.between(0, 2_000);
            self.at(soon, Event::Thief);
        }
        answer
    }

    /// Somebody shows a token to the server. If the other one has shown it with another key, the
    /// server must know from now on.
    fn present(&mut self, token: &str, key: &str, who: Who) -> Reply {
        let clash = self.stolen_lives()
            && self.uses.get(token).is_some_and(|used| used.who != who && used.key != key);
        let answer = self.server.refresh(token, key, who, self.now);
        if is_granted(&answer) && !self.uses.contains_key(token) {
            let used = Use { who, key: key.to_owned(), before: self.uses.len() };
            self.uses.insert(token.to_owned(), used);
        }
        if clash {
            // No matter who drew his key: this is what the session ends for.
            self.truth.stolen = true;
            if let Some(thief) = &mut self.thief {
                thief.trace = Trace::Clash;
            }
            if self.stolen_lives() {
                let seen = format!("one token, two keys: {:?}", self.thief);
                self.broken(NOTICED, seen);
            }
        }
        answer
    }

    /// Once a world.
    pub(crate) fn watch_theft(&mut self) {
        let Some(thief) = &self.thief else { return };
        let Some(sid) = thief.sid() else { return };
        let noticed = !self.server.alive(sid);
        // Where the session has ended nobody is left who could notice, unless it ended for that.
        let sure = |tab: &Tab| tab.snapshot().reason == Some(EndReason::Revoked);
        let owned = self.is_owned(sid) || self.tabs.iter().any(|tab| tab.is_running() && sure(tab));
        let outcome = self.statistics.thefts.entry(thief.how).or_default();
        match thief.trace {
            Trace::Nothing => return,
            Trace::Outrun if !noticed && !owned => outcome.excused += 1,
            _ => {
                outcome.due += 1;
                outcome.noticed += u64::from(noticed);
                outcome.far_ahead += u64::from(thief.ahead > 1);
                outcome.late += u64::from(thief.open_at > self.plan.length + RECOVERY);
            }
        }
        if !noticed && (owned || thief.trace == Trace::Clash) {
            let seen = format!("{thief:?}");
            self.broken(NOTICED, seen);
        }
    }

    /// The owner has been told that somebody is ahead, and is making sure of it, or has just made
    /// sure: the server and the other tabs have to hear.
    pub(crate) fn owner_is_noticing(&mut self) -> bool {
        let outrun = |thief: &&Thief| thief.trace == Trace::Outrun;
        let Some(sid) = self.thief.as_ref().filter(outrun).and_then(Thief::sid) else {
            return false;
        };
        let open = self.server.alive(sid) && self.is_owned(sid);
        let Some(thief) = &mut self.thief else { return false };
        if open {
            thief.open_at = self.now;
        }
        self.now - thief.open_at < HEARING
    }

    /// Somebody is signed in to this session.
    fn is_owned(&self, sid: SessionId) -> bool {
        self.tabs.iter().any(|tab| {
            let token = tab.access_token().unwrap_or_default();
            tab.is_running() && tab.is_live() && self.server.session_of(&token) == Some(sid)
        })
    }

    fn stolen_lives(&self) -> bool {
        let sid = self.thief.as_ref().and_then(Thief::sid);
        sid.is_some_and(|sid| self.server.alive(sid))
    }
}

/// Until everybody has heard of an end while the network is well.
const HEARING: Millis = 15_000;

const NOTICED: &str = "a theft is noticed";

const fn is_granted(answer: &Reply) -> bool {
    matches!(answer, Reply::Granted(_))
}

/// The access token, the refresh token, and the key of the rotation that is under way.
fn read(text: &str) -> Option<(String, String, Option<String>)> {
    // As src/core/record_text.rs writes it.
    let lines: Vec<_> = text.lines().collect();
    let [numbers @ .., _, access, _, refresh] = lines.get(..NUMBERS + 4)? else { return None };
    if lines[NUMBERS] == "-1" {
        return None;
    }
    Some(((*access).to_owned(), (*refresh).to_owned(), pending_key(numbers)))
}

/// The key of the rotation that is under way, from the lines of a record.
pub(crate) fn pending_key(lines: &[&str]) -> Option<String> {
    (lines.get(14)? == lines.get(4)?).then(|| key_at(lines, 16)).flatten()
}

/// The key that stands there.
pub(crate) fn key_at(lines: &[&str], line: usize) -> Option<String> {
    let word = |line: usize| Some(lines.get(line)?.parse::<i64>().ok()?.cast_unsigned());
    Some(format!("{:016x}{:016x}", word(line)?, word(line + 1)?))
}

/// The lines of a record before its texts, each of which stands after a line with its length.
const NUMBERS: usize = 59;
