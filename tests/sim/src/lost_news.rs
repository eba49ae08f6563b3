//! News that both of its ways failed to carry: the message was lost, late or from before the page was
//! loaded, and storage took longer than a tab waits for it, so that an old record lay where the news
//! should have been. A tab that was reached by neither may make a key of its own for a rotation that has
//! one: a stated limit.

use std::collections::HashMap;

use everfresh::core::clock::Millis;

use crate::{
    browser::TabId,
    thief::{key_at, pending_key},
    world::World,
};

/// What each tab was told of each rotation key, where both ways can fail.
#[derive(Debug, Default)]
pub(crate) struct LostNews {
    /// The tab that first told of a key, and when.
    made: HashMap<String, (TabId, Millis)>,
    /// When a tab first heard or read of a key.
    known: HashMap<(TabId, String), Millis>,
    /// When a message that told a tab of a key was first lost or held up.
    lost: HashMap<(TabId, String), Millis>,
    /// Since when until when storage was slow for a tab.
    slow: Vec<(Millis, Millis)>,
}

impl World {
    const fn news_may_be_lost(&self) -> bool {
        self.plan.odds.slow_storage > 0
    }

    /// A tab tells of what it knows.
    pub(crate) fn note_telling(&mut self, tab: TabId, text: &str) {
        if self.news_may_be_lost()
            && let Some(key) = pending_key(&text.lines().collect::<Vec<_>>())
        {
            self.lost_news.made.entry(key).or_insert((tab, self.now));
            self.note_keys(tab, text);
        }
    }

    /// A tab hears or reads this.
    pub(crate) fn note_keys(&mut self, tab: TabId, text: &str) {
        if self.news_may_be_lost() {
            for key in keys(text) {
                self.lost_news.known.entry((tab, key)).or_insert(self.now);
            }
        }
    }

    /// This does not reach a tab, or not in time.
    pub(crate) fn note_loss(&mut self, tab: TabId, text: &str) {
        if self.news_may_be_lost() {
            for key in keys(text) {
                self.lost_news.lost.entry((tab, key)).or_insert(self.now);
            }
        }
    }

    /// Storage takes up to this time.
    pub(crate) fn note_slowness(&mut self, most: Millis) {
        self.lost_news.slow.push((self.now, self.now + most));
    }

    /// Whether the tab that made the later one of two keys for one rotation could not know of the other.
    pub(crate) fn could_not_know(&self, key: &str, other: &str) -> bool {
        let LostNews { made, known, lost, slow } = &self.lost_news;
        let (Some(one), Some(two)) = (made.get(key), made.get(other)) else { return false };
        let ((_, first), earlier, (maker, later)) =
            if one.1 < two.1 { (one, key, two) } else { (two, other, one) };
        let before = |at: Option<&Millis>| at.is_some_and(|at| at <= later);
        let news = (*maker, earlier.to_owned());
        let was_slow = slow.iter().any(|(since, until)| since <= later && until >= first);
        let missed = before(lost.get(&news)) || self.tabs[*maker].loaded_at >= *first;
        !before(known.get(&news)) && missed && was_slow
    }
}

/// The keys that a record tells of: that of the rotation under way, and that which brought its tokens.
fn keys(text: &str) -> impl Iterator<Item = String> {
    let lines: Vec<_> = text.lines().collect();
    [pending_key(&lines), key_at(&lines, 12)].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Odds, Plan};

    /// A record that tells of a key for the tokens of its generation.
    fn telling(key: u64) -> String {
        let mut lines = ["0"; 18].map(str::to_owned);
        (lines[12], lines[16]) = (key.to_string(), key.to_string());
        lines.join("\n")
    }

    #[test]
    fn a_tab_could_not_know_of_a_key_where_both_ways_failed_before_it_made_its_own() {
        let knows = |maker: TabId, is_lost: bool, is_slow: bool, is_read: bool| {
            let mut plan = Plan::day(1);
            plan.odds = Odds { slow_storage: 100, ..plan.odds };
            let mut world = World::new(plan);
            world.open(None);
            world.open(None);
            world.now += 1;
            let (first, second) = (telling(1), telling(2));
            world.note_telling(0, &first);
            // It is loaded too late for the message.
            world.open(None);
            if is_lost {
                world.note_loss(maker, &first);
            }
            if is_slow {
                world.note_slowness(4_000);
            }
            world.now += 1_000;
            if is_read {
                world.note_keys(maker, &first);
            }
            world.note_telling(maker, &second);
            let [one, two] = [1, 2].map(|key| format!("{key:016x}{:016x}", 0));
            assert_eq!(world.could_not_know(&one, &two), world.could_not_know(&two, &one));
            !world.could_not_know(&two, &one)
        };
        assert!(!knows(1, true, true, false) && !knows(2, false, true, false));
        assert!(knows(1, false, true, false) && knows(1, true, false, false));
        assert!(knows(2, false, false, false));
        assert!(knows(1, true, true, true) && knows(2, false, true, true));
    }
}
