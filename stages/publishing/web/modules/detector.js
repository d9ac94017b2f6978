// Finds faces by BlazeFace. As stages/detection/detector.py.

import * as ort from "./ort.wasm.bundle.min.mjs";
import { part } from "./picture.js";
import { BOX, resize } from "./resizing.js";
import { round } from "./rounding.js";
import { tiles } from "./tiles.js";

const MIN_SCORE = Math.fround(0.6);
const MAX_OVERLAP = 0.3; // of two faces: the area that both cover, as a share of the smaller one
const MAX_SIDE = 2048; // larger pictures are reduced to it

// The faces in a picture, RGB, the largest first: { left, top, right, bottom, score, roll }, in pixels and degrees.
// `progress` is called with the share of the work that is done.
export async function detect(session, picture, small, progress = () => {}) {
  const scale = Math.min(MAX_SIDE / Math.max(picture.width, picture.height), 1);
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(round(side * scale), 1));
  const reduced = scale < 1 ? resize(picture, width, height, BOX) : picture;
  const all = tiles(width, height, small);
  const found = [];
  for (const [number, tile] of all.entries()) {
    progress(number / all.length);
    found.push(...(await search(session, reduced, tile)));
  }
  const boxes = withoutRepetitions(found);
  for (const box of boxes) for (const edge of ["left", "top", "right", "bottom"]) box[edge] /= scale;
  return boxes.sort((one, other) => area(other) - area(one));
}

async function search(session, picture, { x, y, side }) {
  const square = part(picture, x, y, side, side, true);
  const pictures = new ort.Tensor("uint8", square.data, [1, side, side, 3]);
  const { boxes, eyes, scores } = await session.run({ pictures });
  const faces = [];
  scores.data.forEach((score, anchor) => {
    if (score <= MIN_SCORE) return;
    const [left, top, right, bottom] = boxes.data.subarray(4 * anchor, 4 * anchor + 4);
    const [x0, y0, x1, y1] = eyes.data.subarray(4 * anchor, 4 * anchor + 4);
    const roll = (Math.atan2(Math.fround(y1 - y0), Math.fround(x1 - x0)) * 180) / Math.PI;
    faces.push({
      left: left * side + x,
      top: top * side + y,
      right: right * side + x,
      bottom: bottom * side + y,
      score,
      roll: Math.fround(roll),
    });
  });
  return faces;
}

// The faces without those that overlap with one of a higher score.
function withoutRepetitions(found) {
  const kept = [];
  for (const box of found.sort((one, other) => other.score - one.score)) {
    const apart = kept.every((other) => {
      const width = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      const height = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
      return Math.max(width, 0) * Math.max(height, 0) <= MAX_OVERLAP * Math.min(area(box), area(other));
    });
    if (apart) kept.push(box);
  }
  return kept;
}

const area = (box) => (box.right - box.left) * (box.bottom - box.top);
