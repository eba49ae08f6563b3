//! A fixed number of cases of each kind; `cargo xtask fuzz` runs more.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

/// Each ten seeds hold every kind.
#[test]
fn sixty_thousand_cases_of_all_kinds() {
    assert_eq!(everfresh_fuzz::run(0, 60, 2).unwrap(), 60_000);
}
