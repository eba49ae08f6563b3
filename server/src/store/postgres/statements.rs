//! All the SQL that Postgres gets from a server that runs.

use crate::store::statement::{Statement, statements};

/// The columns of a family, in the order in which they are read and written.
macro_rules! session {
    () => {
        "s.sid, s.user_id, s.client_id, s.device_name, s.status, s.generation, s.digest, \
         s.parent_digest, s.parent_salt, s.ring, s.replays, s.keyed, s.seen, s.auth_time, \
         s.created_at, s.last_used_at, s.idle_expires_at, s.absolute_expires_at, s.user_version"
    };
}

/// The columns of a user.
macro_rules! user {
    () => {
        "u.id, u.username, u.password, u.version, u.disabled, u.reauth, u.name, u.phone, \
         u.is_manager, u.created_at"
    };
}

statements! {
    FAMILY = concat!(
        "SELECT ", session!(), ", ", user!(), " FROM everfresh.sessions AS s \
         LEFT JOIN everfresh.users AS u ON u.id = s.user_id WHERE s.sid = $1"
    );
    SESSIONS_OF_USER = concat!(
        "SELECT ", session!(), " FROM everfresh.sessions AS s WHERE s.user_id = $1 \
         ORDER BY s.created_at, s.sid"
    );
    EVERY_SESSION = concat!(
        "SELECT ", session!(), " FROM everfresh.sessions AS s ORDER BY s.created_at, s.sid"
    );
    PUT_SESSION = "INSERT INTO everfresh.sessions (sid, user_id, client_id, device_name, status, \
         generation, digest, parent_digest, parent_salt, ring, replays, keyed, seen, auth_time, \
         created_at, last_used_at, idle_expires_at, absolute_expires_at, user_version, sweep_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
         $18, $19, $20) ON CONFLICT (sid) DO UPDATE SET \
         device_name = excluded.device_name, status = excluded.status, \
         generation = excluded.generation, digest = excluded.digest, \
         parent_digest = excluded.parent_digest, parent_salt = excluded.parent_salt, \
         ring = excluded.ring, replays = excluded.replays, keyed = excluded.keyed, \
         seen = excluded.seen, auth_time = excluded.auth_time, \
         last_used_at = excluded.last_used_at, idle_expires_at = excluded.idle_expires_at, \
         absolute_expires_at = excluded.absolute_expires_at, sweep_at = excluded.sweep_at";
    SWEEP = "DELETE FROM everfresh.sessions WHERE sweep_at < $1 \
         AND (idle_expires_at < $1 OR absolute_expires_at < $1)";
    USER = concat!("SELECT ", user!(), " FROM everfresh.users AS u WHERE u.id = $1");
    USER_NAMED = concat!("SELECT ", user!(), " FROM everfresh.users AS u WHERE u.username = $1");
    PUT_USER = "INSERT INTO everfresh.users (id, username, password, version, disabled, reauth, \
         name, phone, is_manager, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET \
         username = excluded.username, password = excluded.password, \
         version = excluded.version, disabled = excluded.disabled, reauth = excluded.reauth, \
         name = excluded.name, phone = excluded.phone, is_manager = excluded.is_manager";
    NOTE = "SELECT kind, key, sid, text, until FROM everfresh.notes WHERE kind = $1 AND key = $2";
    NOTES_OF_SESSION = "SELECT kind, key, sid, text, until FROM everfresh.notes \
         WHERE sid = $1 AND kind = $2 ORDER BY key COLLATE \"C\"";
    PUT_NOTE = "INSERT INTO everfresh.notes (kind, key, sid, text, until) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, key) DO UPDATE SET \
         sid = excluded.sid, text = excluded.text, until = excluded.until";
    DROP_NOTE = "DELETE FROM everfresh.notes WHERE kind = $1 AND key = $2";
    DROP_NOTES = "DELETE FROM everfresh.notes WHERE until <= $1";
    COUNT_NOTES = "SELECT count(*) FROM everfresh.notes WHERE kind = $1 AND until > $2";
    PUT_AUDIT = "INSERT INTO everfresh.audit (at, action, detail, session, account, address, \
         left_out) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], \
         $5::text[], $6::text[], $7::bigint[])";
    FORGET_AUDIT = "DELETE FROM everfresh.audit WHERE at < $1";
    NEWEST_AUDIT = "SELECT at, action, detail, session, account, address, left_out \
         FROM everfresh.audit ORDER BY number DESC LIMIT $1";
    KEYRING = "SELECT content FROM everfresh.keyring WHERE id";
    FIRST_KEYRING = "INSERT INTO everfresh.keyring (content) VALUES ($1) ON CONFLICT DO NOTHING";
    SWAP_KEYRING = "UPDATE everfresh.keyring SET content = $1 WHERE id AND content = $2";
    SETTINGS = "SELECT current_setting('fsync'), current_setting('full_page_writes'), \
         current_setting('synchronous_commit')";
    PROBE = "INSERT INTO everfresh.probe (written_at) VALUES (now()) \
         ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at";
}
