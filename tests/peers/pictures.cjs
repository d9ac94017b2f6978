/* Finds the faces in pictures by a tool of npm and prints, as JSON, the CPU seconds and the expressions of each picture.

    node pictures.cjs TOOL PICTURES...   (in the folder with the tool's node_modules; pictures as PPM)

Both tools run on TensorFlow.js with its WebAssembly backend, on one thread. */

const fs = require("fs");
const path = require("path");
const folder = (name) => path.join(process.cwd(), "node_modules", name);
const load = (name) => require(folder(name)); // by path: human does not export its file for WebAssembly

function pixels(file) {
  const content = fs.readFileSync(file);
  const [header, width, height] = content.toString("latin1", 0, 40).match(/^P6\s(\d+)\s(\d+)\s255\s/);
  return { shape: [+height, +width, 3], values: new Int32Array(content.subarray(header.length)) };
}

const backend = folder("@tensorflow/tfjs-backend-wasm/dist/");
const strongest = (scores) => Object.keys(scores).reduce((best, name) => (scores[name] > scores[best] ? name : best));

const TOOLS = {
  async "face-api"() {
    load("@tensorflow/tfjs-backend-wasm").setWasmPaths(backend);
    const faceapi = load("@vladmandic/face-api/dist/face-api.node-wasm.js");
    await faceapi.tf.setBackend("wasm");
    for (const net of ["ssdMobilenetv1", "faceLandmark68Net", "faceExpressionNet"])
      await faceapi.nets[net].loadFromDisk(folder("@vladmandic/face-api/model"));
    return async ({ values, shape }) => {
      const image = faceapi.tf.tensor3d(values, shape, "int32");
      const faces = await faceapi.detectAllFaces(image).withFaceLandmarks().withFaceExpressions();
      image.dispose();
      faces.sort((a, b) => b.detection.box.area - a.detection.box.area);
      return faces.map((face) => strongest(face.expressions));
    };
  },
  async human() {
    globalThis.fetch = async (file) => new Response(fs.readFileSync(file)); // models are files, not addresses
    const { Human } = load("@vladmandic/human/dist/human.node-wasm.js");
    const off = { enabled: false };
    const human = new Human({
      backend: "wasm",
      wasmPath: backend,
      modelBasePath: folder("@vladmandic/human/models/"),
      cacheSensitivity: 0, // pictures are no frames of a video
      face: { detector: { maxDetected: 50 }, iris: off, description: off },
      body: off,
      hand: off,
      gesture: off,
    });
    await human.load();
    return async ({ values, shape }) => {
      const image = human.tf.tensor3d(values, shape, "int32");
      const { face: faces } = await human.detect(image);
      image.dispose();
      const area = (face) => face.box[2] * face.box[3];
      return faces.sort((a, b) => area(b) - area(a)).map((face) => face.emotion?.[0]?.emotion ?? "none");
    };
  },
};

async function main([tool, ...files]) {
  const find = await TOOLS[tool]();
  const answers = [];
  for (const file of [files[0], ...files]) {
    const picture = pixels(file);
    const start = process.cpuUsage();
    const labels = await find(picture);
    const { user, system } = process.cpuUsage(start);
    answers.push({ seconds: (user + system) / 1e6, labels });
  }
  process.stdout.write(JSON.stringify(answers.slice(1)));
}

main(process.argv.slice(2));
