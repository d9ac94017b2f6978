// Rotation by bicubic interpolation, to the byte as Pillow does it.

import { Picture } from "./picture.js";

// A square of a picture that is rotated about its centre by some degrees counterclockwise. What comes from beyond the
// edges is black.
export function rotated(picture, degrees, left, top, side) {
  const turn = ((degrees % 360) + 360) % 360;
  const angle = -(turn * (Math.PI / 180));
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)].map((value) => Number(value.toFixed(15)));
  const [x0, y0] = [picture.width / 2, picture.height / 2];
  const shiftX = cos * -x0 + sin * -y0 + 0 + x0;
  const shiftY = -sin * -x0 + cos * -y0 + 0 + y0;
  const result = new Picture(side, side, picture.channels);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const column = left + x + 0.5;
      const row = top + y + 0.5;
      interpolate(picture, cos * column + sin * row + shiftX, -sin * column + cos * row + shiftY, result, y * side + x);
    }
  }
  return result;
}

function interpolate(picture, x, y, result, pixel) {
  const { width, height, channels, data } = picture;
  if (x < 0 || x >= width || y < 0 || y >= height) return;
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [dx, dy] = [x - 0.5 - left, y - 0.5 - top];
  const columns = [-1, 0, 1, 2].map((step) => Math.min(Math.max(left + step, 0), width - 1) * channels);
  const rows = [-1, 0, 1, 2].map((step) => Math.min(Math.max(top + step, 0), height - 1) * width * channels);
  for (let c = 0; c < channels; c++) {
    const [a, b, d, e] = rows.map((row) =>
      cubic(data[row + columns[0] + c], data[row + columns[1] + c], data[row + columns[2] + c], data[row + columns[3] + c], dx),
    );
    result.data[pixel * channels + c] = Math.trunc(Math.min(Math.max(cubic(a, b, d, e, dy), 0), 255));
  }
}

// Cubic convolution (Keys 1981) with a = -1 between the second and the third of four values.
function cubic(v0, v1, v2, v3, at) {
  return v1 + at * (-v0 + v2 + at * (2 * (v0 - v1) + v2 - v3 + at * (-v0 + v1 - v2 + v3)));
}
