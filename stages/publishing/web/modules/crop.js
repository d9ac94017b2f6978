// The part of a picture around a face, as faces look in training. As stages/datasets/crop.py.

import { grey, part } from "./picture.js";
import { BICUBIC, resize } from "./resizing.js";
import { rotated } from "./rotating.js";
import { round } from "./rounding.js";

const MARGIN = 1.08; // side of the crop, in widths of the box
const UP = 0.11; // from the centre of the box to that of the crop, in widths of the box
const FILLED = 0.68; // share of the picture's width and height from which on a face fills it

// Whether a face fills its picture, so that the picture is a face that is cropped already.
export function fills(box, picture) {
  return Math.min((box.right - box.left) / picture.width, (box.bottom - box.top) / picture.height) >= FILLED;
}

// A face, size×size, with its head upright; the whole picture, if the face fills it.
export function cutOut(picture, box, size, channels) {
  if (fills(box, picture)) return resized(picture, size, channels);
  const width = box.right - box.left;
  const degrees = round(box.roll);
  const roll = degrees * (Math.PI / 180);
  const side = Math.max(round(MARGIN * width), 1);
  const reach = round((side / 2) * 2 ** 0.5) + 1; // to the corners of the crop, however it is turned
  const x = round((box.left + box.right) / 2 + Math.sin(roll) * UP * width);
  const y = round((box.top + box.bottom) / 2 - Math.cos(roll) * UP * width);
  const around = part(picture, x - reach, y - reach, 2 * reach, 2 * reach);
  const start = reach - Math.floor(side / 2);
  return resized(rotated(around, degrees, start, start, side), size, channels);
}

// A picture that shows a face only, size×size; an oblong one keeps its proportions, with its outermost pixels repeated.
function resized(picture, size, channels) {
  const longest = Math.max(picture.width, picture.height);
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(round((side * size) / longest), 1));
  const face = resize(channels === 1 ? grey(picture) : picture, width, height, BICUBIC);
  return part(face, -Math.floor((size - width) / 2), -Math.floor((size - height) / 2), size, size);
}
