// CPU time of several contenders in one process, in turns, so that what disturbs one disturbs all.

/** Microseconds of CPU that something takes, threads of the engine and its collector included. */
async function cpu(act) {
  const before = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/**
 * Measures calls: `contenders` are `[name, call]`, each call is awaited before the next. Gives
 * `[name, { median, low, high }]`, microseconds a call, the middle half of the rounds within
 * `low` and `high`.
 */
export async function measureCalls(contenders, rounds) {
  const BATCH = 4_000;
  const prepared = [];
  for (const [name, call] of contenders) {
    const repeat = (count) => async () => {
      for (let i = 0; i < count; i += 1) await call();
    };
    // Twice, since the first is not compiled yet.
    await cpu(repeat(200));
    const each = (await cpu(repeat(500))) / 500;
    const count = Math.max(10, Math.min(5_000, Math.round(BATCH / each)));
    prepared.push({ name, count, act: repeat(count), times: [] });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { count, act, times } of prepared) times.push((await cpu(act)) / count);
  }
  return prepared.map(({ name, times }) => [name, spread(times)]);
}

/**
 * Measures waves: `contenders` are `[name, prepare]`; `prepare` gives, unmeasured, what is then
 * measured once, and that gives facts about the wave, which are the same each time.
 */
export async function measureWaves(contenders, rounds) {
  const found = contenders.map(([name, prepare]) => ({ name, prepare, times: [], facts: {} }));
  for (let round = 0; round < rounds; round += 1) {
    for (const each of found) {
      const wave = await each.prepare();
      const taken = await cpu(async () => {
        each.facts = await wave.run();
      });
      wave.end?.();
      // The first waves compile.
      if (round >= rounds / 5) each.times.push(taken);
    }
  }
  return found.map(({ name, times, facts }) => [name, { ...spread(times), ...facts }]);
}

function spread(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}
