//! From numbers to inputs.

use super::realm::Realm;
use crate::core::{
    clock::Millis,
    input::{Answer, Found, Input, Wake, Written},
    peers::Message,
};

// As pkg/src/inputs.ts names them.
const START: u32 = 0;
const RESTORE: u32 = 1;
const CANCEL: u32 = 2;
const SIGN_OUT: u32 = 3;
const TOKEN_WANTED: u32 = 4;
const UNAUTHORIZED: u32 = 5;
const REFRESH_WANTED: u32 = 6;
const ABANDON: u32 = 7;
const HEADER_TOKEN: u32 = 8;
const REFRESH_GRANTED: u32 = 9;
const REFRESH_FAILED: u32 = 10;
const REFRESH_UNREACHABLE: u32 = 11;
const LOCK_GRANTED: u32 = 12;
const LOCK_UNAVAILABLE: u32 = 13;
const RECORD_READ: u32 = 14;
const RECORD_CHANGED: u32 = 15;
const RECORD_WRITTEN: u32 = 16;
const REVOKE_ANSWERED: u32 = 17;
const ACTIVITY: u32 = 18;
const TOUCH: u32 = 19;
const HOLD: u32 = 20;
const VISIBLE: u32 = 21;
const RESUMED: u32 = 22;
const LEAVING: u32 = 23;
const ONLINE: u32 = 24;
const TIMER_FIRED: u32 = 25;
const DISPOSE: u32 = 26;
const REFRESH_REFUSED: u32 = 27;
const PEER_MESSAGE: u32 = 28;

/// The input of a kind. `id` names what it is about, 0 when it is about nothing; `value` is what
/// else there is to it, 0 for no; `wait` is what a server asked for.
pub(crate) fn parse(realm: &mut Realm, kind: u32, id: u32, value: f64, wait: f64) -> Option<Input> {
    let yes = value != 0.0;
    let named = (id != 0).then_some(id);
    Some(match kind {
        START | HEADER_TOKEN | REFRESH_GRANTED => {
            let grant = realm.take_grant().map(|mut grant| {
                grant.lead = (!value.is_nan()).then_some(value as Millis);
                grant
            });
            match (kind, grant) {
                (START, Ok(grant)) => Input::Start { grant, start: id },
                (START, Err(error)) => Input::StartFailed(error),
                (HEADER_TOKEN, grant) => Input::HeaderToken { grant: grant.ok()?, lease: id },
                (_, grant) => Input::RefreshAnswered {
                    attempt: id,
                    answer: grant.map_or(Answer::Unusable, Answer::Granted),
                },
            }
        }
        RESTORE => Input::Restore { waiter: id },
        CANCEL => Input::Cancel(named),
        SIGN_OUT => Input::SignOut { waiter: id, everywhere: yes },
        TOKEN_WANTED => Input::TokenWanted { waiter: id, min_validity: value as Millis },
        UNAUTHORIZED => Input::Unauthorized { waiter: named, lease: value as u32 },
        REFRESH_WANTED => Input::RefreshWanted { waiter: id },
        ABANDON => Input::Abandon(id),
        REFRESH_FAILED => {
            Input::RefreshAnswered { attempt: id, answer: Answer::Failed { terminal: yes } }
        }
        REFRESH_UNREACHABLE => Input::RefreshAnswered { attempt: id, answer: Answer::Unreachable },
        LOCK_GRANTED => Input::LockGranted(id),
        LOCK_UNAVAILABLE => Input::LockUnavailable(id),
        RECORD_READ | RECORD_CHANGED => {
            let found = if yes { realm.take_found() } else { Found::Unavailable };
            if kind == RECORD_READ {
                Input::RecordRead { read: id, found }
            } else {
                Input::RecordChanged(found)
            }
        }
        RECORD_WRITTEN => Input::RecordWritten {
            write: id,
            written: match realm.take_found() {
                Found::Record(record) => Written::Stored(record),
                _ => Written::Failed,
            },
        },
        REVOKE_ANSWERED => Input::RevokeAnswered { revoke: id, revoked: yes },
        ACTIVITY => Input::Activity,
        TOUCH => Input::Touch,
        HOLD => Input::Hold(yes),
        VISIBLE => Input::Woken(Wake::Visible),
        RESUMED => Input::Woken(Wake::Resumed),
        LEAVING => Input::Leaving,
        ONLINE => Input::Online(yes),
        TIMER_FIRED => Input::TimerFired,
        DISPOSE => Input::Dispose,
        REFRESH_REFUSED => {
            let answer = Answer::Refused {
                status: value as u16,
                error_code: realm.take_text(),
                error: realm.take_text(),
                retry_after: finite(wait),
            };
            Input::RefreshAnswered { attempt: id, answer }
        }
        PEER_MESSAGE => Input::PeerMessage(Message::decode(&realm.take_text())?),
        _ => return None,
    })
}

/// Longer durations are taken for this, about 35,000 years, so that sums do not overflow.
const LONGEST: f64 = 1e15;

/// A duration in milliseconds, unless it is none or has no end.
pub(crate) fn finite(value: f64) -> Option<Millis> {
    value.is_finite().then_some(value.min(LONGEST) as Millis)
}
