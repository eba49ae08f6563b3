//! The one timer.

use std::rc::Rc;

use gloo_timers::callback::Timeout;

use super::shell::Shell;
use crate::core::{clock::Millis, input::Input};

/// Longer delays overflow and fire at once. The machine is then called early and asks again.
const LONGEST: Millis = 0x7fff_ffff;

/// Feeds `TimerFired` after at least `delay`, unless dropped before.
pub(super) fn arm(shell: &Rc<Shell>, delay: Millis) -> Timeout {
    let shell = Rc::downgrade(shell);
    Timeout::new(delay.clamp(0, LONGEST) as u32, move || {
        if let Some(shell) = shell.upgrade() {
            shell.feed(Input::TimerFired);
        }
    })
}
