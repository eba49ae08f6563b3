//! All the SQL that SQLite gets from a server that runs, but for the bounds of its transactions.

use crate::store::statement::{Statement, statements};

statements! {
    SESSION = "SELECT * FROM session WHERE sid = ?1";
    SESSIONS_OF_USER = "SELECT * FROM session WHERE user_id = ?1 ORDER BY created_at, sid";
    EVERY_SESSION = "SELECT * FROM session ORDER BY created_at, sid";
    PUT_SESSION = "
        INSERT INTO session VALUES (
            ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
            ?15, ?16, ?17, ?18, ?19
        ) ON CONFLICT (sid) DO UPDATE SET
            device_name = excluded.device_name, status = excluded.status,
            generation = excluded.generation, digest = excluded.digest,
            parent_digest = excluded.parent_digest, parent_salt = excluded.parent_salt,
            ring = excluded.ring, replays = excluded.replays, keyed = excluded.keyed,
            seen = excluded.seen, auth_time = excluded.auth_time,
            last_used_at = excluded.last_used_at, idle_expires_at = excluded.idle_expires_at,
            absolute_expires_at = excluded.absolute_expires_at
    ";
    SWEEP = "DELETE FROM session WHERE idle_expires_at < ?1 OR absolute_expires_at < ?1";
    USER = "SELECT * FROM user WHERE id = ?1";
    USER_NAMED = "SELECT * FROM user WHERE username = ?1";
    PUT_USER = "
        INSERT INTO user VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO UPDATE SET
            username = excluded.username, password = excluded.password,
            version = excluded.version, disabled = excluded.disabled, reauth = excluded.reauth,
            name = excluded.name, phone = excluded.phone, is_manager = excluded.is_manager
    ";
    NOTE = "SELECT * FROM note WHERE kind = ?1 AND key = ?2";
    NOTES_OF_SESSION = "SELECT * FROM note WHERE sid = ?1 AND kind = ?2 ORDER BY key";
    PUT_NOTE = "INSERT OR REPLACE INTO note VALUES (?1, ?2, ?3, ?4, ?5)";
    DROP_NOTES_OF_SESSION = "DELETE FROM note WHERE sid = ?1 AND kind = ?2";
    DROP_NOTES = "DELETE FROM note WHERE until <= ?1";
    COUNT_NOTES = "SELECT count(*) FROM note WHERE kind = ?1 AND until > ?2";
    PUT_AUDIT = "
        INSERT INTO audit (at, action, detail, session, user, address, left_out)
        VALUES (:at, :action, :detail, :session, :user, :address, :left_out)
    ";
    FORGET_AUDIT = "DELETE FROM audit WHERE at < ?1";
    // The numbers begin at 1. Without the bound SQLite calls the walk along them a scan.
    NEWEST_AUDIT = "SELECT * FROM audit WHERE number > 0 ORDER BY number DESC LIMIT ?1";
}
