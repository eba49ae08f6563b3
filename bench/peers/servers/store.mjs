// Where the Node.js servers keep refresh tokens: in memory, or in SQLite that survives a power cut, as
// the companion server's does.

import { createHash, randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

/** A store by `--store`: "memory:" or "sqlite:FILE". */
export function openStore(text) {
  return text === "memory:" ? new Memory() : new Sqlite(text.replace("sqlite:", ""));
}

const hashed = (token) => createHash("sha256").update(token).digest();
const fresh = () => randomBytes(32).toString("base64url");

class Memory {
  #users = new Map();

  /** Opens a session; gives its first refresh token. */
  open(user) {
    const token = fresh();
    this.#users.set(hashed(token).toString("hex"), user);
    return token;
  }

  /** Replaces a refresh token: the user and the next one, or nothing. */
  rotate(token) {
    const key = hashed(token).toString("hex");
    const user = this.#users.get(key);
    if (!user || !this.#users.delete(key)) return undefined;
    return { user, token: this.open(user) };
  }
}

class Sqlite {
  #database;
  #insert;
  #take;

  constructor(file) {
    this.#database = new DatabaseSync(file);
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE tokens (hash BLOB PRIMARY KEY, user TEXT NOT NULL) STRICT, WITHOUT ROWID`);
    this.#insert = this.#database.prepare("INSERT INTO tokens VALUES (?, ?)");
    this.#take = this.#database.prepare("DELETE FROM tokens WHERE hash = ? RETURNING user");
  }

  open(user) {
    const token = fresh();
    this.#insert.run(hashed(token), user);
    return token;
  }

  rotate(token) {
    this.#database.exec("BEGIN IMMEDIATE");
    const taken = this.#take.get(hashed(token));
    const next = taken && { user: taken.user, token: this.open(taken.user) };
    this.#database.exec("COMMIT");
    return next;
  }
}
