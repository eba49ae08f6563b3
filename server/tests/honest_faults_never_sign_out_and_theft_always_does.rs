//! The rotation's promises, over random runs: lost answers, late duplicates and crashes cost an
//! honest client nothing, and a thief who refreshes beside the owner is always noticed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use everfresh_server::rotation::{Pepper, Profile, Refusal, Rules, SessionId, Transition};
use everfresh_server::store::{MemoryStore, RotationContext};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn an_honest_client_stays_signed_in(steps in prop::collection::vec(fault(), 1..80)) {
        let (store, first) = begin(Rules::default());
        let (mut held, mut pending, mut sent) = (first, None, Vec::<(String, String)>::new());
        let (mut now, mut rotations) = (0, 0_u64);
        for (step, fault) in steps.into_iter().enumerate() {
            now += 1 + step as u64 * 40_000;
            if fault == Fault::LateDuplicate {
                // Some request of the last eight rotations arrives once more.
                let recent = sent.len().saturating_sub(8);
                if let Some((token, key)) = sent.get(recent) {
                    let outcome = store.refresh_now(token, Some(key), now, salt(step));
                    prop_assert_ne!(outcome.transition, Transition::Reused);
                }
                continue;
            }
            // The key is written down before the request goes out, and kept until an answer came.
            let key = pending.get_or_insert_with(|| format!("rotation key {step:08}")).clone();
            if fault == Fault::CrashBeforeSending {
                continue;
            }
            let outcome = store.refresh_now(&held, Some(&key), now, salt(step));
            prop_assert!(
                matches!(outcome.transition, Transition::Rotated | Transition::Replayed),
                "step {}: {:?}", step, outcome.transition
            );
            if outcome.transition == Transition::Rotated {
                rotations += 1;
                sent.push((held.clone(), key.clone()));
            }
            if fault == Fault::None
                && let Ok(renewed) = outcome.answer
            {
                held = store.encode(&renewed.token);
                pending = None;
            }
        }
        let row = store.row(SID).unwrap();
        prop_assert_eq!(u64::from(row.generation), rotations);
    }

    #[test]
    fn a_thief_with_the_token_is_noticed(turns in prop::collection::vec(any::<bool>(), 8..40)) {
        let (store, first) = begin(Rules::default());
        let mut hands = [first.clone(), first];
        let (mut wins, mut noticed) = ([0, 0], false);
        for (step, thief) in turns.into_iter().enumerate() {
            let party = usize::from(thief);
            let key = format!("rotation key {party} {step:08}");
            let now = step as u64 * 1_000;
            let outcome = store.refresh_now(&hands[party], Some(&key), now, salt(step));
            match outcome.answer {
                Ok(renewed) => {
                    hands[party] = store.encode(&renewed.token);
                    wins[party] += 1;
                }
                Err(Refusal::Reused) => noticed = true,
                Err(_) => {}
            }
        }
        prop_assert!(noticed || wins[0] == 0 || wins[1] == 0, "both went on: {wins:?}");
    }

    #[test]
    fn no_invented_token_changes_a_family(
        texts in prop::collection::vec("rt_[A-Za-z0-9_-]{104}|[ -~]{0,160}", 1..20),
        flips in prop::collection::vec((3_usize..107, any::<u8>()), 1..20),
    ) {
        let (store, first) = begin(Rules::default());
        let before = store.row(SID);
        let flipped = flips.into_iter().map(|(at, byte)| {
            let mut bytes = first.clone().into_bytes();
            bytes[at] = ALPHABET[usize::from(byte) % ALPHABET.len()];
            String::from_utf8(bytes).unwrap()
        });
        for text in texts.into_iter().chain(flipped).filter(|text| *text != first) {
            let outcome = store.refresh_now(&text, Some("sixteen characters"), 1_000, [1; 32]);
            prop_assert_eq!(outcome.transition, Transition::NotAuthentic);
        }
        prop_assert_eq!(store.row(SID), before);
    }
}

#[test]
fn two_tabs_without_shared_storage_survive_in_the_grace_window() {
    let rules = Rules { profile: Profile::KeyedGrace, ..Rules::default() };
    let (store, first) = begin(rules);
    let one = store.refresh_now(&first, Some("the key of the first tab"), 0, [1; 32]);
    let two = store.refresh_now(&first, Some("the key of the second tab"), 10_000, [2; 32]);
    assert_eq!(two.transition, Transition::Forgiven);
    assert_eq!(one.answer.unwrap().token, two.answer.unwrap().token);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    AnswerLost,
    CrashBeforeSending,
    LateDuplicate,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        5 => Just(Fault::None),
        2 => Just(Fault::AnswerLost),
        1 => Just(Fault::CrashBeforeSending),
        2 => Just(Fault::LateDuplicate),
    ]
}

fn begin(rules: Rules) -> (MemoryStore, String) {
    let rules = Rules { idle: None, ..rules };
    let store = MemoryStore::new(RotationContext { pepper: Pepper::new(1, [5; 32]), rules });
    let first = store.begin("ann", "web", SID, [6; 32], 0);
    (store, first)
}

fn salt(step: usize) -> [u8; 32] {
    [step as u8; 32]
}

const SID: SessionId = SessionId([4; 16]);
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
