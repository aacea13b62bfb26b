// The cards in hand. The first that is not sent is the shown one; the others are there, loaded and decoded.

import { restart } from "./stopwatch.js";

const GUARD_MS = 300; // a second tap of a double tap must not hit the next card
export const bloom = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120;
export const deck = document.getElementById("deck");
let guard;

export const current = () => deck.querySelector(".card:not(.sent)");
export const cardOf = (lease) => document.getElementById(`card-${lease}`);
export const leases = () => [...deck.querySelectorAll(".card")].map((card) => card.dataset.lease);
export const isDone = () => !document.querySelector(".card:not([data-choice]), #finale section");
export const isGuarded = () => "guarded" in deck.dataset;

export function show() {
  restart();
  deck.dataset.guarded = "";
  clearTimeout(guard);
  guard = setTimeout(() => delete deck.dataset.guarded, GUARD_MS);
  (current() ?? document.querySelector("#finale section"))?.focus({ preventScroll: true });
}

// The tapped card blooms and goes, whatever the server will say.
export function send(card, button) {
  card.dataset.choice = button.value;
  button.classList.add("chosen");
  setTimeout(() => {
    if (!card.isConnected || !card.dataset.choice) return; // answered or brought back meanwhile
    card.classList.add("sent");
    show();
  }, bloom);
}

export function bringBack(card) {
  delete card.dataset.choice;
  card.classList.remove("sent");
  card.querySelector(".chosen")?.classList.remove("chosen");
  show();
}

// Let ``swap`` change the deck, take ``card`` out of it, and show what is on top then.
export function change(swap, card) {
  const shown = current();
  swap();
  card?.remove();
  tidy();
  if (current() !== shown || !current()) show();
}

function tidy() {
  const seen = new Set();
  for (const card of deck.querySelectorAll(".card")) {
    if (seen.has(card.dataset.lease)) card.remove(); // dealt in two answers of the server
    seen.add(card.dataset.lease);
  }
  for (const image of deck.querySelectorAll("img")) image.decode().catch(() => {});
}

// Cards whose answer is still on its way from an earlier visit are not asked again.
export function putAside(waiting) {
  for (const { lease, choice } of waiting) {
    const card = cardOf(lease);
    if (!card) continue;
    card.dataset.choice = choice;
    card.classList.add("sent");
  }
  tidy();
  show();
}
