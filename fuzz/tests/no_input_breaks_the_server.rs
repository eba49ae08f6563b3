//! A fixed number of inputs for each target; `cargo xtask fuzz` looks for more. A failure prints its
//! seed and the smallest input; `PROPTEST_RNG_SEED` takes a seed.

use everfresh_fuzz::hold;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// As many inputs as the test is given, each of them up to N bytes.
fn inputs(target: &str, cases: u32, longest: usize) {
    let mut config = Config { cases, failure_persistence: None, ..Config::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(1);
    }
    println!("{target}: {cases} inputs, seed {:?}", config.rng_seed);
    let input = vec(any::<u8>(), 0..longest);
    let done = TestRunner::new(config).run(&input, |input| {
        hold(target, &input);
        Ok(())
    });
    done.unwrap_or_else(|broken| panic!("{target}: {broken}"));
}

#[test]
fn access_tokens_and_keys() {
    inputs("access_token", 10_000, 400);
}

#[test]
fn refresh_tokens() {
    inputs("refresh_token", 20_000, 300);
}

#[test]
fn configuration_files() {
    inputs("configuration", 10_000, 300);
}

#[test]
fn histories_of_refreshes() {
    inputs("refresh_sequence", 300, 400);
}

#[test]
fn requests_to_every_route() {
    inputs("requests", 500, 2_000);
}

#[test]
fn forged_tokens() {
    inputs("forgeries", 300, 600);
}
