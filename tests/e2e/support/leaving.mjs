// What must not outlive the test process, however it ends.

const duties = new Set();

/** Does this when the process exits, unless the returned function is called before. */
export function onLeaving(duty) {
  duties.add(duty);
  return () => duties.delete(duty);
}

process.once("exit", () => {
  for (const duty of duties) duty();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
