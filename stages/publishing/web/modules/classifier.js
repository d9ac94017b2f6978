// Finds the faces in pictures and predicts their expressions. As stages/prediction/classifier.py.

import * as ort from "./ort.wasm.bundle.min.mjs";
import { cutOut, fills } from "./crop.js";
import { detect } from "./detector.js";
import { Picture } from "./picture.js";

const BATCH = 16; // faces at a time

const read = async (url) => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} is missing`);
  return new Uint8Array(await response.arrayBuffer());
};

export class Classifier {
  static async load() {
    const [wasm, detector, model, config] = await Promise.all([
      read(new URL("./ort-wasm-simd-threaded.wasm", import.meta.url)),
      read(new URL("./blazeface.onnx", import.meta.url)),
      read(new URL("./model.onnx", import.meta.url)),
      read(new URL("./model.json", import.meta.url)),
    ]);
    ort.env.wasm.wasmBinary = wasm;
    ort.env.wasm.numThreads = 1; // more need headers that static hosts do not send
    const classifier = new Classifier();
    Object.assign(classifier, JSON.parse(new TextDecoder().decode(config))); // labels, size, channels
    classifier.detector = await ort.InferenceSession.create(detector);
    classifier.model = await ort.InferenceSession.create(model);
    await classifier.predict(new Picture(64, 64, 3), false); // the first time takes longest
    return classifier;
  }

  // The faces in a picture, RGB, the largest first: box, and the probability of each label.
  async predict(picture, small, progress) {
    const { size, channels } = this;
    let boxes = await detect(this.detector, picture, small, progress);
    if (boxes.length && fills(boxes[0], picture)) boxes = boxes.slice(0, 1); // what else was found is a part of this face
    return this.classify(boxes, boxes.map((box) => cutOut(picture, box, size, channels)));
  }

  async classify(boxes, crops) {
    const { size, labels } = this;
    const faces = [];
    for (let start = 0; start < crops.length; start += BATCH) {
      const some = crops.slice(start, start + BATCH);
      const data = new Uint8Array(some.length * some[0].data.length);
      some.forEach((crop, i) => data.set(crop.data, i * crop.data.length));
      const shape = [some.length, size, size, ...(this.channels === 1 ? [] : [this.channels])];
      const { probabilities } = await this.model.run({ faces: new ort.Tensor("uint8", data, shape) });
      some.forEach((_, i) => {
        const row = Array.from(probabilities.data.subarray(i * labels.length, (i + 1) * labels.length));
        faces.push({ box: boxes[start + i], probabilities: row });
      });
    }
    return faces;
  }
}
