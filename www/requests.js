// Which transport calls belong to which click: a fragment in the URL tells, and is never sent.

/** Counts what happens between `begin` and `end`. */
export function createRequests() {
  const open = new Map();
  let last = 0;
  return {
    /** A click begins to send requests, to URLs that end in `#` and this id. */
    begin() {
      last += 1;
      const batch = { id: `click-${last}`, sends: 0, refused: 0, refreshes: 0 };
      open.set(batch.id, batch);
      return batch;
    },
    /** All of them have been answered. */
    end(batch) {
      open.delete(batch.id);
      return batch;
    },
    /** A call has passed. */
    see({ kind, id, status }) {
      if (kind === "refresh") for (const batch of open.values()) batch.refreshes += 1;
      const batch = open.get(id);
      if (batch === undefined) return;
      batch.sends += 1;
      if (status === 401) batch.refused += 1;
    },
  };
}
