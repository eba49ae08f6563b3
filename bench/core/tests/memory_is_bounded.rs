//! Allocations of the usual inputs, and memory over a week.

use allocation_counter::measure;
use everfresh_bench_core::{BUDGET, Budget, CASES, Tab};

const DAY: i64 = 86_400_000;

#[test]
fn each_input_allocates_as_often_as_its_budget_says() {
    let budgets: Vec<Budget> = serde_json::from_str(BUDGET).expect("budget.json is JSON");
    let counted = CASES.map(|case| {
        let tab = Tab::signed_in(1);
        // What grows to its size grows first.
        (0..40).for_each(|_| (case.happen)(&tab));
        (case.name, measure(|| (case.happen)(&tab)).count_total)
    });
    for (name, count) in counted {
        let budget = budgets.iter().find(|budget| budget.input == name).expect("it has a budget");
        assert_eq!(count, budget.allocations, "{name}; all: {counted:?}");
    }
}

#[test]
fn what_happens_costs_the_same_however_many_callers_wait() {
    for case in CASES.iter().filter(|case| case.name != "a whole refresh") {
        let bytes = [1, 2_000].map(|waiting| {
            let tab = Tab::signed_in(1);
            (0..waiting).for_each(|_| tab.wait());
            // What grows to its size grows first.
            (0..40).for_each(|_| (case.happen)(&tab));
            measure(|| (case.happen)(&tab)).bytes_total
        });
        assert_eq!(bytes[0], bytes[1], "{}", case.name);
    }
}

#[test]
fn a_session_takes_a_few_kilobytes() {
    let mut tabs = Vec::with_capacity(2);
    let one = measure(|| tabs.push(Tab::signed_in(1))).bytes_current;
    let more = measure(|| tabs.push(tabs[0].beside(2))).bytes_current;
    assert!(one < 8_000 && more < 8_000, "{one} bytes, {more} for another tab");
}

#[test]
fn three_tabs_take_no_more_after_a_week_than_after_a_day() {
    let first = Tab::signed_in(1);
    let tabs = [first.beside(2), first.beside(3), first];
    let live_until = |end: i64| {
        while let Some(next) = (0..3).min_by_key(|tab| tabs[*tab].due())
            && tabs[next].due() < end
        {
            let now = tabs[next].due();
            tabs.iter().for_each(|tab| tab.pass_to(now));
            tabs[next].turn();
            let said = tabs[next].said();
            (0..3).filter(|tab| *tab != next).for_each(|tab| tabs[tab].follow(&tabs[next], &said));
            tabs.iter().for_each(Tab::lend);
        }
    };
    live_until(DAY);
    let generation = tabs[0].generation();
    let grown = measure(|| live_until(7 * DAY)).bytes_current;
    let generations = tabs.each_ref().map(Tab::generation);
    assert_eq!(generations, [generations[0]; 3], "what one tab gets, all have");
    assert!(generations[0] > 6 * generation, "{generations:?}, {generation} after a day");
    // A number in the record's text may get another digit.
    assert!(grown < 100, "{grown} bytes more");
}
