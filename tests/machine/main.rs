//! The session machine, one tab at a time: each module is a sentence, each test an example of it.

mod a_401_costs_at_most_one_refresh;
mod a_failed_refresh_keeps_the_session;
mod a_host_may_call_back_at_any_time;
mod a_hostile_answer_leaves_no_waiter;
mod a_lease_on_record_stands_in_for_the_lock;
mod a_page_load_finds_the_session;
mod an_idle_session_ends;
mod another_tab_may_change_everything_meanwhile;
mod answers_belong_to_their_questions;
mod any_sequence_of_inputs_keeps_the_promises;
mod browser;
mod every_count_is_kept;
mod hearsay_is_weighed;
mod input_is_told_sparingly;
mod missing_tokens_are_asked_for;
mod refreshes_come_once_per_lifetime;
mod rig;
mod sign_out_wins;
mod starting_again_begins_cleanly;
mod storage_and_locks_may_fail;
mod tabs_of_one_browser_are_one_session;
mod the_picture_changes_when_something_does;
mod waking_up_late_costs_nothing;
mod what_is_heard_is_stored;
mod what_is_said_is_said_in_words;
mod wire;
