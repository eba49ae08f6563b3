//! Any response, any token set, any jump of the clock, any answer of storage: nothing of it lasts. There
//! are no more refreshes than the floor allows, what is stored is bounded, and once the service
//! answers well again the tab has its token.

use everfresh::{
    core::{
        clock::Millis,
        input::{Input, Wake},
        policy::Policy,
        record::Record,
        snapshot::Status,
    },
    engine::endpoint::Response,
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    a_hostile_answer_leaves_no_waiter::{Reply, replies, token_responses},
    rig::Tab,
    wire::UNREACHABLE,
};

/// No server's wish, backoff or breaker holds back for longer.
const PATIENCE: Millis = 900_000;

/// The longest text that is stored: an answer of the longest that is read, and the numbers.
const LONGEST: usize = 3 << 20;

#[derive(Clone, Debug)]
enum Step {
    Answer(Reply),
    Silence,
    /// The tab wakes when it wants to, or a little later.
    Time(Millis),
    /// The wall clock alone.
    Jump(Millis),
    StorageWorks(bool),
    Stored(String),
    Wiped,
    Visible,
    Online(bool),
}

fn steps() -> impl Strategy<Value = Step> {
    let jumps = prop_oneof![
        select(vec![-86_400_000, -7_200_000, -90_000, -1, 1, 90_000, 7_200_000, 86_400_000]),
        -1_000_000_000..1_000_000_000_i64,
    ];
    prop_oneof![
        12 => replies().prop_map(Step::Answer),
        2 => Just(Step::Silence),
        8 => (0..400_000_i64).prop_map(Step::Time),
        2 => jumps.prop_map(Step::Jump),
        1 => any::<bool>().prop_map(Step::StorageWorks),
        1 => prop_oneof![token_responses(), "(everfresh 1\n)?(\\PC|\n){0,40}"].prop_map(Step::Stored),
        1 => Just(Step::Wiped),
        1 => Just(Step::Visible),
        1 => any::<bool>().prop_map(Step::Online),
    ]
}

/// A tab, and what has to be known to judge it.
struct Watched {
    tab: Tab,
    /// Time as the device feels it: a clock that is set ahead is a sleep.
    felt: Millis,
    /// When the last refresh was sent, and what generation it was to replace.
    sent: Option<(Millis, i64)>,
    /// What others put into storage: as long as it lies there, it is not the tab's.
    strange: String,
}

impl Watched {
    fn new() -> Self {
        let mut tab = Tab::new(Policy { idle: None, ..Policy::default() });
        tab.start(300);
        Self { tab, felt: 0, sent: None, strange: String::new() }
    }

    fn pass(&mut self, millis: Millis) {
        self.tab.pass(millis);
        self.felt += millis;
    }

    /// Time passes; the tab wakes whenever it wants to.
    fn advance(&mut self, millis: Millis) -> Result<(), TestCaseError> {
        let end = self.felt + millis;
        while self.felt < end {
            let wait = self.tab.wait().unwrap_or(Millis::MAX).min(end - self.felt);
            self.pass(wait);
            self.tab.feed(Input::TimerFired);
            self.look()?;
        }
        Ok(())
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        let tab = &mut self.tab;
        match step {
            Step::Answer(Reply(response)) if !tab.sent.is_empty() => tab.answer(Some(response)),
            Step::Silence if !tab.sent.is_empty() => tab.answer(UNREACHABLE),
            Step::Answer(_) | Step::Silence => {}
            Step::Time(millis) => self.advance(millis)?,
            Step::Jump(millis) => {
                tab.now.wall += millis;
                self.felt += millis.max(0);
                tab.feed(Input::Woken(Wake::Resumed));
            }
            Step::StorageWorks(works) => tab.storage_works = works,
            Step::Stored(text) => {
                self.strange.clone_from(&text);
                *tab.store.borrow_mut() = Some(text);
                tab.record_changed();
            }
            Step::Wiped => {
                *tab.store.borrow_mut() = None;
                tab.record_changed();
            }
            Step::Visible => tab.feed(Input::Woken(Wake::Visible)),
            Step::Online(online) => tab.feed(Input::Online(online)),
        }
        self.look()
    }

    /// What must hold at every moment.
    fn look(&mut self) -> Result<(), TestCaseError> {
        let tab = &self.tab;
        if let Some((at, sent)) = tab.requests.last()
            && *at == tab.now.monotonic
            && !tab.sent.is_empty()
        {
            let generation = tab.snapshot().generation;
            let told = format!("{} {}", sent.rotation_key, self.felt);
            if let Some((last, before)) = self.sent
                && before != generation
            {
                prop_assert!(self.felt - last >= 5_000, "{told}: {} ms after", self.felt - last);
            }
            self.sent = Some((self.felt, generation));
        }
        let text = tab.store.borrow().clone().unwrap_or_default();
        if text == self.strange {
            return Ok(());
        }
        prop_assert!(text.len() < LONGEST, "{} bytes are stored", text.len());
        for line in text.strip_prefix("everfresh 1\n").unwrap_or_default().lines().take(58) {
            prop_assert!(line.len() <= 20, "a number: {line}");
        }
        Ok(())
    }
}

fn good(seconds: u32, tab: &mut Tab) {
    while !tab.sent.is_empty() {
        tab.answer_granted(seconds);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn and_the_tab_has_its_token(steps in vec(steps(), 1..40), shown in any::<bool>()) {
        let mut watched = Watched::new();
        for step in steps {
            watched.take(step)?;
        }
        // From here on all is well: storage works, the network is there, the service answers.
        let tab = &mut watched.tab;
        tab.storage_works = true;
        tab.feed(Input::Online(true));
        if shown {
            tab.feed(Input::Woken(Wake::Visible));
        }
        let waiter = tab.want_token();
        // The service answers within nine seconds, before an attempt is given up.
        for _ in 0..110 {
            good(300, &mut watched.tab);
            watched.advance(PATIENCE / 100)?;
        }
        good(300, &mut watched.tab);
        let tab = &mut watched.tab;
        // A token whose end is not known has no timer: then the page notices when it is shown.
        tab.feed(Input::Woken(Wake::Visible));
        prop_assert!(tab.outcome(waiter).is_some(), "settled");
        if tab.ended().is_none() {
            prop_assert_eq!(tab.status(), Status::Active);
            prop_assert!(tab.lease.is_some(), "a token is there: {:?}", tab.snapshot());
            let text = tab.store.borrow().clone().unwrap_or_default();
            prop_assert!(Record::decode(&text).is_some(), "and it is stored");
        }
    }
}

#[test]
fn a_wish_for_the_year_9999_is_a_quarter_of_an_hour() {
    for value in ["4294967295", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let mut watched = Watched::new();
        watched.tab.advance_to_refresh();
        let headers = vec![("retry-after".to_owned(), value.to_owned())];
        watched.tab.answer(Some(Response { status: 503, headers, ..Response::default() }));
        watched.pass(PATIENCE + 1_000);
        watched.tab.feed(Input::TimerFired);
        assert_eq!(watched.tab.sent.len(), 1, "{value}");
    }
}
