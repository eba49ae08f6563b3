// The rolling picture: four lanes, now at three quarters.

import { createLabels } from "./labels.js";
import { JITTER, LEAD, nextRefresh } from "./settings.js";

/** Draws on `canvas` what `draw(now, snapshot, history)` is given. */
export function createTimeline(canvas) {
  const pen = canvas.getContext("2d");
  const labels = createLabels(pen);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let colors = readColors(canvas);
  dark.addEventListener("change", () => (colors = readColors(canvas)));
  let width = 0;
  let height = 0;
  let scale = 0;
  let font = "";

  function fit() {
    const box = canvas.getBoundingClientRect();
    const ratio = window.devicePixelRatio;
    if (box.width === width && box.height === height && ratio === scale) return;
    [width, height, scale] = [box.width, box.height, ratio];
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    font = `11px ${getComputedStyle(canvas).fontFamily}`;
  }

  return function draw(now, snapshot, history) {
    fit();
    const past = width < 420 ? 40_000 : width < 640 ? 60_000 : 75_000;
    const span = past / 0.74;
    const x = (at) => ((at - now + past) / span) * width;
    const lane = (height - AXIS) / 4;
    const middle = (index) => lane * (index + 0.5);
    history.prune(now - past - 5_000);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = font;
    pen.textBaseline = "middle";

    drawGrid();
    for (const outage of history.outages) drawOutage(outage);
    for (const token of history.tokens) drawToken(token, token === history.tokens.at(-1));
    for (const end of history.ends) drawEnd(end);
    drawFuture();
    for (const refresh of history.refreshes) drawRefresh(refresh);
    for (const group of history.requests) drawRequests(group);
    for (const at of history.inputs) drawInput(at);
    line(x(now), 0, height - AXIS, colors.text, 1.5);
    labels.write(width, colors.surface);

    function drawGrid() {
      for (let index = 1; index < 5; index += 1) {
        pen.fillStyle = colors.line;
        pen.fillRect(0, Math.round(lane * index), width, 1);
      }
      pen.fillStyle = colors.muted;
      const step = past > 50_000 ? 15_000 : 10_000;
      for (let at = -past + (past % step); at < span - past; at += step) {
        const words = at === 0 ? "now" : `${at < 0 ? "−" : "+"}${Math.abs(at) / 1_000} s`;
        const size = pen.measureText(words).width;
        const left = x(now + at) - size / 2;
        if (left > 0 && left + size < width) pen.fillText(words, left, height - AXIS / 2 + 2);
      }
    }

    function drawOutage({ from, to }) {
      const left = Math.max(0, x(from));
      const right = x(Math.min(to, now));
      hatch(left, 0, right - left, height - AXIS, colors.line);
      const words = { color: colors.muted, gap: 5 };
      if (right - left > 44) labels.want("offline", left, middle(1), words);
    }

    function drawToken({ generation, from, to }, current) {
      const [left, right] = [x(from) + 1, x(to) - 1];
      if (right - left < 1) return;
      const top = lane * 0.5 - 9;
      pen.fillStyle = colors.soft;
      rounded(left, top, right - left, 18);
      if (current && snapshot.expiresAt !== null) {
        const life = (to - from) / 2;
        const lead = x(to - Math.min(LEAD * 1_000, life));
        const earliest = x(to - Math.min((LEAD + JITTER) * 1_000, life));
        const due = nextRefresh(snapshot) !== null;
        if (due) hatch(earliest, top, lead - earliest, 18, colors.accent);
        pen.fillStyle = colors.warn;
        pen.fillRect(lead, top + 15, right - lead - 2, 3);
      }
      pen.fillStyle = colors.text;
      const start = Math.max(left, 0) + 6;
      if (right - start > 22) pen.fillText(String(generation), start, lane * 0.5 + 0.5);
    }

    // Failures above, so that the attempt that comes right after does not hide them.
    function drawRefresh({ at, ok, label }) {
      const y = middle(1) - (ok ? 0 : 9);
      drawMark(x(at), y, ok, colors.accent);
      // A reason that has no room is in the log all the same.
      labels.want(label, x(at), y, { color: colors.muted });
    }

    // Refusals above, answers below: a healed request has both at nearly the same time.
    function drawRequests({ at, ok, number }) {
      const y = middle(2) + (ok ? 7 : -7);
      drawMark(x(at), y, ok, colors.text, 3.5);
      if (number > 1) labels.want(`×${number}`, x(at), y, { color: colors.muted, gap: 7 });
    }

    function drawInput(at) {
      line(x(at), middle(3) - 6, middle(3) + 6, colors.muted, 2);
      labels.avoid(x(at), middle(3), 3);
    }

    function drawFuture() {
      const { idleAt, endsAt } = snapshot;
      const refreshAt = nextRefresh(snapshot);
      const coming = (at) => at !== null && at > now;
      if (coming(refreshAt)) ring(x(refreshAt), middle(1), colors.accent);
      if (coming(idleAt) && x(idleAt) < width - 6) {
        ring(x(idleAt), middle(3), colors.muted);
        labels.want("idle", x(idleAt), middle(3), { color: colors.muted, left: true });
      }
      if (coming(endsAt) && x(endsAt) < width - 1) drawEnd({ at: endsAt, label: "ends" }, 2, [3, 4]);
    }

    function drawEnd({ at, label }, row = 3, dash = []) {
      pen.setLineDash(dash);
      line(x(at), 0, height - AXIS, colors.bad, 1.5);
      pen.setLineDash([]);
      labels.avoid(x(at), height / 2, 1, height / 2);
      labels.want(label, x(at), middle(row), { color: colors.bad, gap: 5, left: true });
    }
  };

  function drawMark(x, y, ok, color, size = 4.5) {
    labels.avoid(x, y, size);
    pen.beginPath();
    if (ok) {
      pen.fillStyle = color;
      pen.arc(x, y, size, 0, 7);
      pen.fill();
      return;
    }
    pen.strokeStyle = colors.bad;
    pen.lineWidth = 2;
    pen.moveTo(x - size, y - size);
    pen.lineTo(x + size, y + size);
    pen.moveTo(x + size, y - size);
    pen.lineTo(x - size, y + size);
    pen.stroke();
  }

  function ring(x, y, color) {
    labels.avoid(x, y, 5);
    pen.strokeStyle = color;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(x, y, 4.5, 0, 7);
    pen.stroke();
  }

  function line(x, from, to, color, size) {
    pen.strokeStyle = color;
    pen.lineWidth = size;
    pen.beginPath();
    pen.moveTo(x, from);
    pen.lineTo(x, to);
    pen.stroke();
  }

  function rounded(x, y, w, h) {
    pen.beginPath();
    pen.roundRect(x, y, w, h, Math.min(5, w / 2));
    pen.fill();
  }

  function hatch(x, y, w, h, color) {
    if (w <= 0) return;
    pen.save();
    pen.beginPath();
    pen.rect(x, y, w, h);
    pen.clip();
    pen.strokeStyle = color;
    pen.lineWidth = 1.5;
    pen.beginPath();
    for (let from = x - h; from < x + w; from += 6) {
      pen.moveTo(from, y + h);
      pen.lineTo(from + h, y);
    }
    pen.stroke();
    pen.restore();
  }
}

function readColors(element) {
  const style = getComputedStyle(element);
  const names = ["text", "muted", "line", "accent", "soft", "warn", "bad", "surface"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`)]));
}

const AXIS = 22;
