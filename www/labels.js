// The words of the timeline: none where a mark is, and none over another.

/** Collects what a picture shows, and writes the words that have room. */
export function createLabels(pen) {
  let taken = [];
  let wanted = [];

  const overlaps = ([left, top, right, bottom]) =>
    taken.some(([l, t, r, b]) => left < r && l < right && top < b && t < bottom);

  return {
    /** Keeps words off a mark that reaches so far to each side, and up and down. */
    avoid(x, y, aside, high = aside) {
      taken.push([x - aside - 3, y - high, x + aside + 3, y + high]);
    },

    /** Words that stand `gap` beside a point: to its right, or to its left if they may. */
    want(words, x, y, { color, gap = 8, left = false }) {
      wanted.push({ words, x, y, color, gap, left });
    },

    /** Writes them, the first one first, on a ground of this colour, up to a width. */
    write(width, ground) {
      pen.lineWidth = 3;
      pen.lineJoin = "round";
      pen.strokeStyle = ground;
      for (const { words, x, y, color, gap, left } of wanted) {
        const size = pen.measureText(words).width;
        const places = [x + gap, ...(left ? [x - gap - size] : [])];
        const place = places.find((from) => {
          return from >= 0 && from + size <= width && !overlaps([from, y - 6, from + size, y + 6]);
        });
        if (place === undefined) continue;
        taken.push([place - 6, y - 6, place + size + 6, y + 6]);
        pen.strokeText(words, place, y + 0.5);
        pen.fillStyle = color;
        pen.fillText(words, place, y + 0.5);
      }
      taken = [];
      wanted = [];
    },
  };
}
