//! Input in one tab keeps the others alive: they are told of it, and not of every move.

use everfresh::core::{
    input::{Input, Wake},
    policy::{IdleMode, Policy},
};

use crate::rig::Tab;

/// Signed in, with nothing to be told yet. A sixtieth of the idle time lies between two messages.
fn tab(idle: Option<i64>, warn: i64) -> Tab {
    let idle_mode = IdleMode::End;
    let mut tab = Tab::new(Policy { idle, idle_mode, warn, jitter: 0, ..Policy::default() });
    tab.start(86_400);
    tab.said.clear();
    tab
}

fn messages(tab: &mut Tab) -> usize {
    std::mem::take(&mut tab.said).len()
}

#[test]
fn the_first_is_told_when_its_time_has_come_and_the_rest_with_it() {
    let mut tab = tab(Some(600_000), 0);
    for second in 1..=9 {
        tab.advance(1.0);
        tab.feed(Input::Activity);
        assert_eq!(messages(&mut tab), 0, "{second} s");
    }
    tab.advance(1.1);
    assert_eq!(messages(&mut tab), 1);
    tab.advance(60.0);
    assert_eq!(messages(&mut tab), 0, "nothing happened that had to be told");
    tab.feed(Input::Activity);
    assert_eq!(messages(&mut tab), 1, "after a pause it is told at once");
}

#[test]
fn a_long_idle_time_does_not_make_them_wait_for_minutes() {
    let mut tab = tab(Some(86_400_000), 0);
    tab.feed(Input::Activity);
    tab.advance(1.0);
    tab.feed(Input::Activity);
    tab.advance(28.0);
    assert_eq!(messages(&mut tab), 0);
    tab.advance(1.1);
    assert_eq!(messages(&mut tab), 1);
}

#[test]
fn a_touch_and_what_takes_a_warning_back_are_told_at_once() {
    let mut tab = tab(Some(1_800_000), 1_795_000);
    tab.advance(4.0);
    tab.feed(Input::Touch);
    assert_eq!(messages(&mut tab), 1);
    tab.advance(6.0);
    assert_eq!((tab.count("warning"), messages(&mut tab)), (1, 0));
    tab.feed(Input::Activity);
    assert_eq!((tab.count("extended"), messages(&mut tab)), (1, 1));
}

#[test]
fn without_an_idle_limit_nobody_has_to_know() {
    let mut tab = tab(None, 0);
    for input in [Input::Activity, Input::Touch, Input::Hold(true), Input::Woken(Wake::Visible)] {
        tab.feed(input);
        tab.advance(60.0);
    }
    assert_eq!(messages(&mut tab), 0);
}

#[test]
fn what_is_held_is_told_again_and_again() {
    let mut tab = tab(Some(600_000), 0);
    tab.feed(Input::Hold(true));
    assert_eq!(messages(&mut tab), 1);
    for _ in 0..3 {
        tab.advance(9.999);
        assert_eq!(messages(&mut tab), 0);
        tab.advance(0.001);
        assert_eq!(messages(&mut tab), 1);
    }
}
