// Starts the page that is one file. Its resources are embedded, compressed, each module after those that it imports.

// Returns a blob: URL of each file, which takes the place of its name in the modules that follow.
async function unpack(files, urls) {
  for (const { name, type, content } of files) {
    const packed = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    const response = new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")));
    let plain = await response.blob();
    if (type === "text/javascript") {
      plain = (await plain.text()).replace(/"\.\/([\w.-]+)"/g, (text, other) => (urls[other] ? `"${urls[other]}"` : text));
    }
    urls[name] = URL.createObjectURL(new Blob([plain], { type }));
  }
  return urls;
}

function embedded(part) {
  const elements = [...document.querySelectorAll(`script[data-part="${part}"]`)];
  return elements.map(({ dataset, textContent }) => ({ ...dataset, content: textContent }));
}

// The worker unpacks its files itself: on a page from disk, it cannot read what the page has unpacked.
const worker = `(${unpack})(${JSON.stringify(embedded("worker"))}, {})
  .then((urls) => import(urls["worker.js"])).catch((error) => postMessage({ broken: error.message }));`;
const start = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
const urls = await unpack(embedded("page"), { "worker.js": start });
await import(urls["main.js"]);
