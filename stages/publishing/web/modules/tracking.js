// Follows faces through the frames of a camera and averages their probabilities. As stages/prediction/tracking.py.

import { assign } from "./assignment.js";
import { part } from "./picture.js";
import { BOX, resize } from "./resizing.js";
import { round } from "./rounding.js";

const NEAR = 0.8; // largest distance of a face from where it is expected, in widths of a face
const DRIFT = 0.6; // by which this distance grows for each second in which the face was not found
const LOST_SECONDS = 2; // a face that was away for longer is taken for another person's
const SPEED_SECONDS = 0.4; // over which the speed of a face is averaged
const LABEL_SECONDS = 0.4; // over which its probabilities are averaged
const LOOK_SECONDS = 1; // over which its look is averaged
const FAR = 100; // cost of a pair that is none
const LOOK_SIDE = 12; // pixels
const LOOK_WEIGHT = 4; // widths of a face for which the difference between a white and a black face counts

export class Tracker {
  constructor() {
    this.tracks = [];
    this.people = 0;
  }

  // The faces of the next frame, each with the number of its person, from 1, and with averaged probabilities, by number.
  follow(picture, faces, time) {
    this.tracks = this.tracks.filter((track) => time - track.time <= LOST_SECONDS);
    const seen = faces.map(({ box, probabilities }) => ({ place: place(box), look: look(picture, box), probabilities }));
    const costs = seen.map((face) => this.tracks.map((track) => cost(face, track, time)));
    const owners = assign(costs);
    const followed = faces.map((face, number) => {
      let track = costs[number][owners[number]] < FAR ? this.tracks[owners[number]] : null;
      if (track) {
        update(track, time, seen[number]);
      } else {
        this.people += 1;
        track = { person: this.people, time, speed: [0, 0], ...seen[number] };
        this.tracks = [...this.tracks, track];
      }
      return { ...face, person: track.person, probabilities: track.probabilities };
    });
    return followed.sort((one, other) => one.person - other.person);
  }
}

const place = ({ left, top, right, bottom }) => [(left + right) / 2, (top + bottom) / 2, right - left];

function cost(face, track, time) {
  const away = time - track.time;
  const [x, y, width] = track.place;
  const [dx, dy] = [face.place[0] - x - track.speed[0] * away, face.place[1] - y - track.speed[1] * away];
  const size = Math.max(face.place[2] + width, 1) / 2;
  const distance = Math.hypot(dx, dy, face.place[2] - width) / size;
  if (distance >= NEAR + DRIFT * away) return FAR;
  const difference = face.look.reduce((sum, level, i) => sum + Math.abs(level - track.look[i]), 0) / face.look.length;
  return distance + LOOK_WEIGHT * difference;
}

function update(track, time, face) {
  const seconds = Math.max(time - track.time, 1e-3);
  const speed = track.speed.map((_, axis) => (face.place[axis] - track.place[axis]) / seconds);
  track.speed = mean(track.speed, speed, seconds / SPEED_SECONDS);
  track.look = mean(track.look, face.look, seconds / LOOK_SECONDS);
  track.probabilities = mean(track.probabilities, face.probabilities, seconds / LABEL_SECONDS);
  track.time = time;
  track.place = face.place;
}

// The exponential average of old and new values.
const mean = (old, now, age) => old.map((value, i) => value + (1 - Math.exp(-age)) * (now[i] - value));

// A small picture of the part of a face that is in the picture, 0 to 1.
function look(picture, box) {
  const [left, top, right, bottom] = ["left", "top", "right", "bottom"].map((edge) => Math.max(round(box[edge]), 0));
  const width = Math.min(Math.max(right, left + 1), picture.width) - left;
  const height = Math.min(Math.max(bottom, top + 1), picture.height) - top;
  if (width <= 0 || height <= 0) return new Array(LOOK_SIDE * LOOK_SIDE * 3).fill(0);
  const small = resize(part(picture, left, top, width, height), LOOK_SIDE, LOOK_SIDE, BOX);
  return Array.from(small.data, (level) => level / 255);
}
