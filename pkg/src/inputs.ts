// What can happen to a session, by number.

// As src/web/inputs.rs names them.
/** A start: its number, and the lead. */
export const START = 0;
/** A waiter. */
export const RESTORE = 1;
/** A start, or 0 for any. */
export const CANCEL = 2;
/** A waiter, and whether all of the user's sessions end. */
export const SIGN_OUT = 3;
/** A waiter, and for how many milliseconds the token must still be good. */
export const TOKEN_WANTED = 4;
/** A waiter or 0, and the lease that the request carried. */
export const UNAUTHORIZED = 5;
/** A waiter. */
export const REFRESH_WANTED = 6;
/** A waiter whose caller has given up. */
export const ABANDON = 7;
/** A lease whose request brought a token, and the lead. */
export const HEADER_TOKEN = 8;
/** An attempt, and the lead. */
export const REFRESH_GRANTED = 9;
/** An attempt, and whether there is no point in another. */
export const REFRESH_FAILED = 10;
/** An attempt. */
export const REFRESH_UNREACHABLE = 11;
/** A ticket. */
export const LOCK_GRANTED = 12;
/** A ticket. */
export const LOCK_UNAVAILABLE = 13;
/** A read, and whether it could be done. */
export const RECORD_READ = 14;
/** 0, and whether it could be read. */
export const RECORD_CHANGED = 15;
/** A write; without a record it failed. */
export const RECORD_WRITTEN = 16;
/** A revocation, and whether the session is over there. */
export const REVOKE_ANSWERED = 17;
/** User input. */
export const ACTIVITY = 18;
/** The same, by `touch()`. */
export const TOUCH = 19;
/** 0, and whether continuous input begins. */
export const HOLD = 20;
/** The page is visible again. */
export const VISIBLE = 21;
/** It was resumed. */
export const RESUMED = 22;
/** It is about to go. */
export const LEAVING = 23;
/** 0, and whether there is a network. */
export const ONLINE = 24;
/** The timer fired. */
export const TIMER_FIRED = 25;
/** The end. */
export const DISPOSE = 26;
/** An attempt, the status, and what `Retry-After` says; takes `error` and `error_code`. */
export const REFRESH_REFUSED = 27;
/** Takes what another tab said. */
export const PEER_MESSAGE = 28;
