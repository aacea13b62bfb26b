// The dialog for a closer look: the customer's photo to zoom into, and beside it the photos of a candidate.

import { current } from "./deck.js";
import { digit } from "./digits.js";
import { word } from "./words.js";
import { Zoom } from "./zoom.js";

const LONG_MS = 450; // a press that is meant to look, not to answer
const dialog = document.getElementById("closer");
const beside = document.getElementById("beside");
const candidates = dialog.querySelector(".candidates");
const settles = dialog.querySelector("[data-settles]");
const template = document.getElementById("candidate-template");
const zoom = new Zoom(dialog.querySelector(".stage"));
const fetched = new Map();
let card; // that is looked at: another may come back to the top of the deck meanwhile

// Look at the shown card's photo, beside its nth dress (from 1) if one is named.
export function look(nth) {
  if (!dialog.open) card = current();
  if (!card || (nth && !card.querySelectorAll(".option")[nth - 1])) return;
  if (!dialog.open) {
    zoom.open(card.querySelector(".photo img").src);
    candidates.replaceChildren(...[...card.querySelectorAll(".option")].map(candidate));
    beside.textContent = word("pick");
    settles.hidden = true;
    dialog.showModal();
  }
  if (nth) putBeside(nth);
}

function candidate(option, index) {
  const button = template.content.firstElementChild.cloneNode(true);
  const picture = option.querySelector("img, .visually-hidden").cloneNode(true);
  button.prepend(picture);
  button.querySelector("kbd").textContent = index + 1;
  button.addEventListener("click", () => look(index + 1));
  return button;
}

async function putBeside(nth) {
  [...candidates.children].forEach((button, index) => button.setAttribute("aria-pressed", index === nth - 1));
  settles.hidden = false;
  settles.dataset.settles = nth;
  const url = card.querySelectorAll(".beside")[nth - 1].href;
  const html = fetched.get(url) ?? (await fragment(url));
  if (html) fetched.set(url, html);
  if (settles.dataset.settles !== String(nth)) return; // another was asked for meanwhile
  if (html) beside.innerHTML = html;
  else beside.textContent = word("not_loaded");
}

async function fragment(url) {
  const response = await fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);
  return response?.ok && !response.headers.has("HX-Redirect") ? response.text() : null;
}

export function listen(deck) {
  deck.addEventListener("click", (event) => {
    const link = event.target.closest(".photo a, .beside");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    look(link.matches(".beside") ? placeOf(link) : undefined);
  });
  deck.addEventListener("pointerdown", press);
  deck.addEventListener("contextmenu", (event) => event.pointerType === "touch" && event.preventDefault());
  settles.addEventListener("click", () => {
    dialog.close();
    if (card === current()) card.querySelectorAll(".option")[settles.dataset.settles - 1].click();
  });
  dialog.addEventListener("keydown", (event) => {
    if (digit(event) > 0) look(Number(digit(event)));
  });
}

const placeOf = (element) => [...element.closest(".options").children].indexOf(element.closest("li")) + 1;

// A long press on a dress looks at it.
function press(event) {
  const option = event.target.closest(".option");
  if (!option || event.pointerType === "mouse") return;
  const { clientX, clientY } = event;
  const stop = new AbortController();
  const timer = setTimeout(() => {
    addEventListener("click", swallow, { capture: true, once: true });
    addEventListener("pointerup", () => setTimeout(removeEventListener, 50, "click", swallow, true), { once: true });
    look(placeOf(option));
  }, LONG_MS);
  const give = () => {
    clearTimeout(timer);
    stop.abort();
  };
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, give, { signal: stop.signal });
  const stray = (moved) => Math.hypot(moved.clientX - clientX, moved.clientY - clientY) > 10 && give();
  addEventListener("pointermove", stray, { signal: stop.signal });
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}
