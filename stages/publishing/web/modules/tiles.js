// The squares in which a picture is searched for faces: with a border around it, as a whole, and in overlapping parts.
// As stages/detection/tiles.py.

import { round } from "./rounding.js";

const BORDER = 0.25; // on either side, as a share of the picture's longer side
const PARTS = { 512: 2, 1024: 4 }; // from this length of the longer side: it is divided by as much

// A list of { x, y, side }; `small`: whether to divide a large picture into parts too.
export function tiles(width, height, small) {
  const longer = Math.max(width, height);
  const sides = [round(longer * (1 + 2 * BORDER)), longer];
  if (small) {
    for (const [length, parts] of Object.entries(PARTS)) {
      if (longer >= Number(length)) sides.push(Math.ceil(longer / parts));
    }
  }
  return sides.flatMap((side) =>
    starts(height, side).flatMap((y) => starts(width, side).map((x) => ({ x, y, side }))),
  );
}

function starts(length, side) {
  if (length <= side) return [Math.floor((length - side) / 2)];
  const last = Math.ceil((2 * (length - side)) / side);
  return Array.from({ length: last + 1 }, (_, i) => (i === last ? length - side : round(i * ((length - side) / last))));
}
