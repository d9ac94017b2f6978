// The page: pictures are dropped, pasted or chosen, or come from the camera; faces in them are shown.

import { Camera } from "./camera.js";
import { Engine } from "./engine.js";
import { count, summary, View } from "./view.js";

const [choose, cameraButton, status, bar, errors, live, results] = [
  "choose", "camera", "status", "progress", "errors", "live", "results",
].map((id) => document.getElementById(id));

const say = (text) => {
  status.textContent = text;
};

const complain = (text) => errors.append(Object.assign(document.createElement("p"), { textContent: text }));

if (typeof WebAssembly === "object") {
  const engine = new Engine();
  engine.labels.then(
    (labels) => start(engine, labels),
    (error) => fail(error.message),
  );
} else {
  fail("it lacks WebAssembly, or it is turned off");
}

function fail(reason) {
  say("");
  complain(`The model cannot run in this browser: ${reason}.`);
}

function start(engine, labels) {
  choose.disabled = cameraButton.disabled = false;
  say("Ready.");
  let work = Promise.resolve();
  const add = ([...files]) => {
    if (!files.length) return;
    errors.replaceChildren();
    work = work.then(() => predict(engine, labels, files));
  };
  choose.addEventListener("change", () => {
    add(choose.files);
    choose.value = "";
  });
  document.addEventListener("paste", ({ clipboardData }) => add(clipboardData.files));
  listenForDrops(add);
  const camera = new Camera();
  cameraButton.addEventListener("click", () => (camera.running ? camera.stop() : film(camera, engine, labels)));
}

function listenForDrops(add) {
  const mark = (on) => document.body.classList.toggle("dropping", on);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => mark(relatedTarget !== null));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    add(event.dataTransfer.files);
  });
}

// Shows the faces in each of some files, and what is wrong with the others.
async function predict(engine, labels, files) {
  const found = [];
  bar.hidden = false;
  for (const [number, file] of files.entries()) {
    const place = files.length > 1 ? ` (${number + 1} of ${files.length})` : "";
    say(`Looking for faces in ${file.name}${place} …`);
    const progress = (share) => {
      bar.value = (number + share) / files.length;
    };
    try {
      const answer = await engine.find(file, { progress });
      const view = new View(file.name);
      results.prepend(view.element);
      view.show(answer, labels, count(answer.faces));
      found.push(`${file.name}: ${summary(answer.faces, labels)}.`);
    } catch (error) {
      complain(`${file.name}: ${error.message}.`);
    }
  }
  bar.hidden = true;
  say(found.join(" "));
}

// Shows what the camera sees until it is stopped.
async function film(camera, engine, labels) {
  errors.replaceChildren();
  cameraButton.textContent = "Stop the camera";
  cameraButton.setAttribute("aria-pressed", "true");
  say("Starting the camera …");
  const view = new View("Camera");
  try {
    await camera.run(async (frame, time, speed) => {
      const answer = await engine.find(frame, { time });
      if (!view.element.isConnected) {
        live.append(view.element);
        say("The camera is on.");
      }
      view.show(answer, labels, `${count(answer.faces)}, ${speed ? Math.round(speed) : "–"} frames/s`);
    });
    say("The camera is off.");
  } catch (error) {
    say("");
    complain(error.message);
  }
  view.element.remove();
  cameraButton.textContent = "Use the camera";
  cameraButton.setAttribute("aria-pressed", "false");
}
