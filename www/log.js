// The log: newest first, every line with its why.

/**
 * @param list the `ol` of all lines
 * @param latest the element that shows the newest, and is read out
 */
export function createLog(list, latest) {
  /** Adds a line; `tone` is good, bad, note or you. */
  return function write(tone, what, why, at = Date.now()) {
    const line = document.createElement("li");
    line.dataset.tone = tone;
    const time = document.createElement("time");
    const date = new Date(at);
    time.dateTime = date.toISOString();
    time.textContent = clock.format(date);
    const text = document.createElement("p");
    const bold = document.createElement("b");
    bold.textContent = what;
    text.append(bold, why ? ` ${why}` : "");
    line.append(time, text);
    list.prepend(line);
    while (list.childElementCount > LINES) list.lastElementChild.remove();

    latest.textContent = why ? `${what} ${why}` : what;
    latest.dataset.tone = tone;
  };
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const LINES = 100;
