// The worker that finds faces, as the page sees it.

export class Engine {
  // The labels of the expressions, once the model is loaded.
  labels;

  constructor() {
    const url = workerUrl();
    this.requests = new Map();
    this.count = 0;
    this.worker = new Worker(url);
    this.labels = new Promise((resolve, reject) => {
      this.worker.addEventListener("message", ({ data }) => {
        if (data.labels) resolve(data.labels);
        if (data.broken) reject(new Error(data.broken));
      });
      this.worker.addEventListener("error", () => reject(new Error("this browser cannot start the worker")));
    });
    this.worker.addEventListener("message", ({ data }) => this.receive(data));
  }

  // Resolves to { faces, width, height, image }: the faces in a file or in a frame of the camera, and the image to show.
  find(image, { time, progress = () => {} } = {}) {
    const id = (this.count += 1);
    return new Promise((resolve, reject) => {
      this.requests.set(id, { resolve, reject, progress });
      this.worker.postMessage({ id, image, time }, time === undefined ? [] : [image]);
    });
  }

  receive({ id, progress, error, ...answer }) {
    const request = this.requests.get(id);
    if (!request) return;
    if (progress !== undefined) return request.progress(progress);
    this.requests.delete(id);
    if (error) request.reject(new Error(error));
    else request.resolve(answer);
  }
}

// A blob: URL, since a worker from a blob is under the page's Content-Security-Policy, and one from a file is not.
function workerUrl() {
  const { href, protocol } = new URL("./worker.js", import.meta.url);
  if (protocol === "blob:") return href;
  const start = `import("${href}").catch((error) => postMessage({ broken: error.message }));`;
  return URL.createObjectURL(new Blob([start], { type: "text/javascript" }));
}
