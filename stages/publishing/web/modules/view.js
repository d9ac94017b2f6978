// An image with a box around each face, and beside it the faces with a bar for each probability.

const TOLD = 3; // faces whose labels are told in a sentence
const HIGH = 0.1; // share of the image's height

const percent = (share) => `${Math.round(100 * share)}\u202f%`;

const best = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

// How many faces there are, in words.
export const count = (faces) => (faces.length === 0 ? "no face found" : faces.length === 1 ? "1 face" : `${faces.length} faces`);

// What was found, in a sentence: with the most probable label of each face, unless they are many.
export function summary(faces, labels) {
  const verdicts = faces.map(({ probabilities }) => {
    const number = best(probabilities);
    return `${labels[number]} ${percent(probabilities[number])}`;
  });
  return [count(faces), ...(faces.length <= TOLD ? verdicts : [])].join(", ");
}

export class View {
  constructor(title) {
    this.element = clone("view");
    [this.title, this.note] = this.element.querySelectorAll("h2, .note");
    [this.frame, this.canvas, this.faces] = this.element.querySelectorAll(".frame, canvas, .faces");
    this.title.textContent = title;
    this.canvas.setAttribute("aria-label", title);
  }

  // Shows an image, of which boxes are in pixels of its original size `width`×`height`.
  show({ image, faces, width, height }, labels, note) {
    this.note.textContent = note;
    if (this.canvas.width !== image.width) this.canvas.width = image.width;
    if (this.canvas.height !== image.height) this.canvas.height = image.height;
    this.canvas.getContext("2d").drawImage(image, 0, 0);
    image.close();
    resizeList(this.frame, ".box", "box", faces.length).forEach((box, i) => place(box, faces[i], width, height, number(faces[i], i)));
    resizeList(this.faces, ".face", "face", faces.length).forEach((face, i) => describe(face, faces[i], labels, number(faces[i], i)));
  }
}

const clone = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

const number = (face, i) => face.person ?? i + 1;

// Returns the children that match, after some were removed or appended so that there are `length`.
function resizeList(parent, selector, template, length) {
  const children = [...parent.querySelectorAll(selector)];
  children.splice(length).forEach((child) => child.remove());
  while (children.length < length) {
    children.push(clone(template));
    parent.append(children.at(-1));
  }
  return children;
}

function place(box, { box: { left, top, right, bottom } }, width, height, number) {
  const share = (value, whole) => `${(100 * value) / whole}%`;
  Object.assign(box.style, {
    left: share(left, width),
    top: share(top, height),
    width: share(right - left, width),
    height: share(bottom - top, height),
  });
  box.classList.toggle("high", top < HIGH * height); // there is no room for the number above it
  box.firstElementChild.textContent = number;
}

function describe(element, face, labels, number) {
  const top = best(face.probabilities);
  element.querySelector(".number").textContent = number;
  element.querySelector(".label").textContent = labels[top];
  resizeList(element.querySelector(".bars"), ".bar", "bar", labels.length).forEach((bar, i) => {
    const [name, line, value] = bar.children;
    bar.classList.toggle("best", i === top);
    name.textContent = labels[i];
    line.style.setProperty("--share", face.probabilities[i]);
    value.textContent = percent(face.probabilities[i]);
  });
}
