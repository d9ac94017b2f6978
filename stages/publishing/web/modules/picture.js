// A picture: width, height, channels (1: grey, 3: RGB), and its levels, 0 to 255, row by row.

export class Picture {
  constructor(width, height, channels, data = new Uint8Array(width * height * channels)) {
    Object.assign(this, { width, height, channels, data });
  }
}

// The picture in the pixels of a canvas, RGBA. What is transparent is composed on the mean colour of what is opaque.
export function fromCanvas(width, height, pixels) {
  const picture = new Picture(width, height, 3);
  const sums = [0, 0, 0];
  let total = 0;
  for (let i = 0, j = 0; i < pixels.length; i += 4, j += 3) {
    const alpha = pixels[i + 3] / 255;
    total += alpha;
    for (let c = 0; c < 3; c++) {
      picture.data[j + c] = pixels[i + c];
      sums[c] += pixels[i + c] * alpha;
    }
  }
  if (total === width * height) return picture;
  if (total === 0) throw new Error("a picture that is wholly transparent");
  for (let i = 0, j = 0; i < pixels.length; i += 4, j += 3) {
    const alpha = pixels[i + 3] / 255;
    for (let c = 0; c < 3; c++) picture.data[j + c] = Math.round(pixels[i + c] * alpha + (sums[c] / total) * (1 - alpha));
  }
  return picture;
}

// Grey levels by the weights of ITU-R BT.601 in fixed point of 16 bits, to the byte as Pillow's mode L.
export function grey(picture) {
  const result = new Picture(picture.width, picture.height, 1);
  const from = picture.data;
  for (let i = 0, j = 0; i < result.data.length; i++, j += 3) {
    result.data[i] = (from[j] * 19595 + from[j + 1] * 38470 + from[j + 2] * 7471 + 32768) >> 16;
  }
  return result;
}

// A rectangle of a picture. Beyond the edges the outermost pixels are repeated, or, with `black`, there is black.
export function part(picture, left, top, width, height, black = false) {
  const result = new Picture(width, height, picture.channels);
  const { channels } = picture;
  for (let y = 0; y < height; y++) {
    const row = Math.min(Math.max(top + y, 0), picture.height - 1);
    if (black && row !== top + y) continue;
    const start = row * picture.width * channels;
    const first = Math.max(left, 0);
    const end = Math.min(left + width, picture.width);
    const target = y * width * channels;
    if (end > first) {
      const inside = picture.data.subarray(start + first * channels, start + end * channels);
      result.data.set(inside, target + (first - left) * channels);
    }
    if (black) continue;
    for (let x = 0; x < width; x++) {
      const column = Math.min(Math.max(left + x, 0), picture.width - 1);
      if (column === left + x) continue;
      for (let c = 0; c < channels; c++) {
        result.data[target + x * channels + c] = picture.data[start + column * channels + c];
      }
    }
  }
  return result;
}
