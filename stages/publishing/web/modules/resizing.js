// Resizing with antialiasing, to the byte as Pillow 13 does it: rows and columns one after the other, each by a filter
// that grows with the reduction; weights in fixed point of 22 bits, and levels of 8 bits between both.

import { Picture } from "./picture.js";

const BITS = 22;

// Keys, "Cubic convolution interpolation for digital image processing", IEEE TASSP 1981, with a = -1/2.
export const BICUBIC = {
  reach: 2,
  weight(x) {
    const a = -0.5;
    const at = Math.abs(x);
    if (at < 1) return ((a + 2) * at - (a + 3)) * at * at + 1;
    return at < 2 ? (((at - 5) * at + 8) * at - 4) * a : 0;
  },
};

// The mean of the pixels that a larger pixel covers.
export const BOX = { reach: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };

export function resize(picture, width, height, filter) {
  const inWidth = (some) => (some.width === width ? some : resizeRows(some, width, filter));
  const inHeight = (some) => (some.height === height ? some : resizeColumns(some, height, filter));
  const fewer = picture.height - height; // rows
  if (fewer > 0 && fewer > 2 * (picture.width - width)) return inWidth(inHeight(picture));
  return inHeight(inWidth(picture));
}

// For each new pixel: from which old one on it is a sum, of how many, and their weights.
function sums(from, to, filter) {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, number) => {
    const centre = (number + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - filter.reach * stretch + 0.5), 0);
    const end = Math.min(Math.trunc(centre + filter.reach * stretch + 0.5), from);
    const weights = [];
    for (let at = start; at < end; at++) weights.push(filter.weight((at - centre + 0.5) * (1 / stretch)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const fixed = weights.map((weight) => {
      const share = (weight / total) * 2 ** BITS;
      return Math.trunc(share + (share < 0 ? -0.5 : 0.5));
    });
    return { start, weights: Int32Array.from(fixed) };
  });
}

function resizeRows(picture, width, filter) {
  const { height, channels } = picture;
  const result = new Picture(width, height, channels);
  sums(picture.width, width, filter).forEach(({ start, weights }, x) => {
    for (let y = 0; y < height; y++) {
      sum(picture.data, (y * picture.width + start) * channels, channels, weights, result.data, (y * width + x) * channels, channels);
    }
  });
  return result;
}

function resizeColumns(picture, height, filter) {
  const stride = picture.width * picture.channels;
  const result = new Picture(picture.width, height, picture.channels);
  sums(picture.height, height, filter).forEach(({ start, weights }, y) => {
    sum(picture.data, start * stride, stride, weights, result.data, y * stride, stride);
  });
  return result;
}

// Writes `count` neighbouring levels: weighted sums of levels that are `step` apart.
function sum(from, start, step, weights, to, target, count) {
  for (let i = 0; i < count; i++) {
    let total = 1 << (BITS - 1);
    for (let k = 0, at = start + i; k < weights.length; k++, at += step) total += from[at] * weights[k];
    to[target + i] = Math.min(Math.max(total >> BITS, 0), 255);
  }
}
