// Computes beside the page, so that the page stays usable. It is sent { id, image, time }: a file, or a frame of the
// camera with its time, and answers { id, progress }, and at last { id, faces, image } or { id, error }.

import { Classifier } from "./classifier.js";
import { fromCanvas } from "./picture.js";
import { Tracker } from "./tracking.js";

const MAX_PIXELS = 2 ** 26; // as stages/prediction/pictures.py
const SHOWN = 1600; // pixels of the longer side of the image that is sent back

const loading = Classifier.load();
let tracker = new Tracker();
let queue = loading.then(
  ({ labels }) => postMessage({ labels }),
  (error) => postMessage({ broken: error.message }),
);

onmessage = ({ data }) => {
  queue = queue.then(() => answer(data)).catch((error) => postMessage({ id: data.id, error: error.message }));
};

async function answer({ id, image, time }) {
  const classifier = await loading;
  const isFrame = time !== undefined;
  const bitmap = isFrame ? image : await decode(image);
  const picture = pixels(bitmap);
  let faces = await classifier.predict(picture, !isFrame, (progress) => postMessage({ id, progress }));
  if (isFrame) {
    if (time === 0) tracker = new Tracker();
    faces = tracker.follow(picture, faces, time);
  }
  const shown = isFrame ? bitmap : await reduced(bitmap);
  const { width, height } = picture;
  postMessage({ id, faces, width, height, image: shown }, [shown]);
}

// The image in a file, upright; its colours are not converted, as Pillow does not convert them.
async function decode(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch {
    throw new Error("not a picture that this browser can read");
  }
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) throw new Error(`a picture of ${width}×${height} pixels is too large`);
  return bitmap;
}

function pixels(bitmap) {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return fromCanvas(width, height, context.getImageData(0, 0, width, height).data);
}

async function reduced(bitmap) {
  const scale = SHOWN / Math.max(bitmap.width, bitmap.height);
  if (scale >= 1) return bitmap;
  const [resizeWidth, resizeHeight] = [bitmap.width, bitmap.height].map((side) => Math.max(Math.round(side * scale), 1));
  return createImageBitmap(bitmap, { resizeWidth, resizeHeight, resizeQuality: "high" });
}
