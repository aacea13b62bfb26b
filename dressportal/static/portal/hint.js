// What swipes mean, shown to touching hands until they have swiped once or put it away.

import { recall, remember } from "./memory.js";

const SEEN = "swiped";
const hint = document.getElementById("swipe-hint");

export function show() {
  hint.hidden = recall(SEEN) !== null || !matchMedia("(pointer: coarse)").matches;
  hint.querySelector("button").addEventListener("click", done);
}

export function done() {
  hint.hidden = true;
  remember(SEEN, "yes");
}
