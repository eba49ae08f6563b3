//! What is taken for one state must behave as one, and what matters must make a difference.

use std::hash::{DefaultHasher, Hash, Hasher};

use everfresh::{
    core::{
        clock::Now,
        effect::Effect,
        entropy::Seeded,
        error::Error,
        grant::{Grant, Heals, TokenResponse},
        ids::{Attempt, ReadId, StartId, Ticket, WaiterId},
        input::{Input, ReadResult, Wake},
        policy::Policy,
        session::Session,
        snapshot::Status,
        verdict::Answer,
    },
    engine::{
        Engine, Settings,
        canonical::Kind,
        host::{Load, Loaded, Place},
        virtual_host::{VirtualHost, Want},
    },
};
use everfresh_search::{moves::Move, setup::Setup, world::World};

const EPOCH: i64 = 1_767_225_600_000;

/// Where a name in an input comes from.
#[derive(Clone, Copy)]
enum Step {
    Start,
    Restore,
    WantToken,
    RefreshWanted,
    SignOut,
    Wake,
    GrantLock,
    Read,
    Written,
    Answer,
    Offline,
    Hold,
}

fn print(state: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

fn grant(seconds: f64) -> Grant {
    let response = TokenResponse {
        access_token: format!("access-{seconds}"),
        refresh_token: Some(format!("refresh-{seconds}")),
        expires_in: Some(seconds),
        ..TokenResponse::default()
    };
    Grant::accept(response, Err(Error::Segments), Heals::Nothing).expect("a good grant")
}

/// A machine after some steps; writes are answered only where a step says so.
fn after(steps: &[Step]) -> Session<Seeded> {
    let now = Now { wall: EPOCH, monotonic: 0 };
    let mut session = Session::new(Policy::default(), Seeded(7), now);
    let (mut ticket, mut read, mut attempt, mut write) = (Ticket(0), ReadId(0), Attempt(0), None);
    for (waiter, step) in (1..).map(WaiterId).zip(steps) {
        let input = match step {
            Step::Start => Input::Start { grant: grant(300.0), start: StartId(1) },
            Step::Restore => Input::Restore { waiter },
            Step::WantToken => Input::TokenWanted { waiter, min_validity: 900_000 },
            Step::RefreshWanted => Input::RefreshWanted { waiter },
            Step::SignOut => Input::SignOut { waiter, everywhere: false },
            Step::Wake => Input::Woken(Wake::Resumed),
            Step::GrantLock => Input::LockGranted(ticket),
            Step::Read => Input::RecordRead { read, found: ReadResult::Nothing },
            Step::Written => {
                let (write, record) = write.take().expect("something was written");
                let written = everfresh::core::input::WriteResult::Stored(record);
                Input::RecordWritten { write, written }
            }
            Step::Answer => {
                Input::RefreshAnswered { attempt, answer: Answer::Granted(grant(600.0)) }
            }
            Step::Offline => Input::Online(false),
            Step::Hold => Input::Hold(true),
        };
        session.handle(input, now);
        while let Some(effect) = session.poll() {
            match effect {
                Effect::AcquireLock(id) => ticket = id,
                Effect::Read(id) => read = id,
                Effect::SendRefresh { attempt: id, .. } => attempt = id,
                Effect::Write { write: id, record } => write = Some((id, record)),
                _ => {}
            }
        }
    }
    session
}

#[test]
fn every_stage_of_a_refresh_is_a_state_of_its_own() {
    use Step::{
        Answer, GrantLock, Hold, Offline, Read, RefreshWanted, Restore, SignOut, Start, Wake,
        WantToken, Written,
    };
    let ways: &[&[Step]] = &[
        &[],
        &[Restore],
        &[Restore, SignOut],
        &[Restore, Read],
        &[Start],
        &[Start, Wake],
        &[Start, Offline],
        &[Start, Hold],
        &[Start, SignOut],
        &[Start, WantToken],
        &[Start, RefreshWanted],
        &[Start, RefreshWanted, GrantLock],
        &[Start, RefreshWanted, GrantLock, Read],
        &[Start, RefreshWanted, GrantLock, Read, Written],
        &[Start, RefreshWanted, GrantLock, Read, Written, Answer],
        &[Start, RefreshWanted, GrantLock, Read, Written, Answer, Written],
    ];
    let prints: Vec<u64> = ways.iter().map(|way| print(&after(way))).collect();
    for (at, print) in prints.iter().enumerate() {
        assert!(!prints[..at].contains(print), "way {at} looks like an earlier one");
    }
}

#[test]
fn counters_and_names_make_no_difference() {
    let plain = after(&[Step::Start]);
    // One more look at storage: the counters and the next name differ, and nothing else.
    let mut looked = after(&[Step::Start, Step::Wake, Step::Read]);
    let mut plain = plain;
    assert_ne!(print(&plain), print(&looked), "as long as names are left as they are");
    for session in [&mut plain, &mut looked] {
        session.rename(9, &mut |_| 1);
    }
    assert_eq!(print(&plain), print(&looked));
}

#[test]
fn a_machine_with_new_names_goes_on_as_before() {
    let now = Now { wall: EPOCH, monotonic: 0 };
    let mut session = after(&[Step::Start, Step::RefreshWanted]);
    let mut old = Vec::new();
    session.rename(90, &mut |name| {
        old.push(name);
        80 + old.len() as u32
    });
    let at = old.iter().position(|name| *name > 1).expect("a ticket was remembered");
    session.handle(Input::LockGranted(Ticket(81 + at as u32)), now);
    let effects: Vec<Effect> = std::iter::from_fn(|| session.poll()).collect();
    assert!(
        matches!(effects[..], [Effect::Read(ReadId(91))]),
        "the lock is ours under its new name: {effects:?}"
    );
}

/// An engine whose page was just loaded, after as many loads as it takes to give the next one a name.
fn loading(names: u32) -> Engine<VirtualHost<Seeded>> {
    let now = Now { wall: EPOCH, monotonic: 0 };
    let engine = Engine::new(VirtualHost::new(now), Seeded(7), Settings::default());
    for _ in 1..names {
        engine.record_changed();
        let Some(Want::Load(load)) = engine.host.next() else { panic!("it looks at storage") };
        engine.loaded(load, Loaded::Nothing);
    }
    engine.ask(WaiterId(5), |waiter| Input::Restore { waiter });
    engine
}

#[test]
fn an_engine_with_new_names_goes_on_as_before() {
    let mut engine = loading(3);
    let clone = engine.clone();
    assert_eq!(print(&engine), print(&clone));
    engine.rename(90, &mut |kind, name| match kind {
        Kind::Machine => 10 + name,
        Kind::Storage => 20 + name,
        Kind::Waiter => 30 + name,
    });
    assert_ne!(print(&engine), print(&clone));
    engine.host.take();
    engine.loaded(Load { place: Place::Local, id: 3 }, Loaded::Nothing);
    assert_eq!(engine.host.next(), None, "nothing has the old name");
    engine.loaded(Load { place: Place::Local, id: 23 }, Loaded::Nothing);
    let told = |want: &Want| matches!(want, Want::Settle(WaiterId(5), _));
    assert!(engine.host.take().iter().any(told), "the caller is told");
    assert_eq!(engine.snapshot().status, Status::SignedOut);
    assert_eq!(clone.snapshot().status, Status::Unknown, "a clone is another engine");
}

#[test]
fn engines_that_differ_in_names_alone_look_alike_once_renamed() {
    let (mut first, mut third) = (loading(1), loading(3));
    assert_ne!(print(&first), print(&third), "as long as names are left as they are");
    for engine in [&mut first, &mut third] {
        engine.rename(9, &mut |_, _| 1);
    }
    assert_eq!(print(&first), print(&third));
    let Some(Want::Load(_)) = first.host.next() else { panic!("it looks at storage") };
    first.loaded(Load { place: Place::Local, id: 1 }, Loaded::Nothing);
    assert_ne!(print(&first), print(&third), "what a page load came to makes a difference");
}

#[test]
fn what_happens_in_any_order_to_tabs_that_do_not_meet_comes_out_the_same() {
    let setup = Setup::all().into_iter().find(|it| it.name == "two tabs").expect("it is there");
    let world = World::signed_in(&setup).after(Move::Wait, &setup);
    let both =
        |first, second| world.after(Move::Timer(first), &setup).after(Move::Timer(second), &setup);
    assert_ne!(both(0, 1).print(), both(1, 0).print(), "who asks for the lock first gets it");
    let free = Setup { locks: false, ..setup.clone() };
    let world = World::signed_in(&free).after(Move::Wait, &free);
    let both =
        |first, second| world.after(Move::Timer(first), &free).after(Move::Timer(second), &free);
    assert_eq!(both(0, 1).print(), both(1, 0).print(), "without a lock they do not meet");
}
