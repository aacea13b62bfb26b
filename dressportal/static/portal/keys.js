// A key presses the button that carries it. They can be switched off, for people whose software types for them.

import { current } from "./deck.js";
import { look } from "./closer.js";
import { digit } from "./digits.js";
import { recall, remember } from "./memory.js";

const OFF = "keys off";
const box = document.getElementById("keys-on");

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !box.checked) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog[open]")) return;
  if (event.shiftKey && /^Digit[1-9]$/.test(event.code)) return look(Number(event.code.at(-1)));
  const key = (!event.shiftKey && digit(event)) || event.key.toLowerCase();
  const selector = `[data-key="${CSS.escape(key)}"]`;
  const button = current()?.querySelector(selector) ?? document.querySelector(`:is(.tools, #after) ${selector}`);
  if (!button) return;
  event.preventDefault();
  button.click();
  if (button.matches("summary")) button.parentElement.querySelector(".reasons button").focus();
}

export function listen() {
  box.checked = recall(OFF) === null;
  box.addEventListener("change", () => remember(OFF, box.checked ? null : "yes"));
  document.addEventListener("keydown", press);
}
