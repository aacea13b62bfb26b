// What a shopper does with a dress: saves it in this browser or takes that back, and rents it at the demo's till. All is told.

import { make } from "../dress-looks/parts.js";
import { API, allowed, told, visitorFromNow } from "../dress-looks/told.js";
import { word } from "../portal/words.js";

const SAVED = "shop-saved";
const main = document.getElementById("main");
const { sku, till } = main.dataset;
let saved = new Set();
try {
  saved = new Set(JSON.parse(localStorage[SAVED] ?? "[]"));
} catch {} // forbidden, or somebody else's: it starts anew

export function deedsOf() {
  const heart = document.getElementById("heart").content.firstElementChild.cloneNode(true);
  const save = make("button", { className: "secondary heart", type: "button", onclick: toggle }, heart, word("save"));
  save.ariaPressed = String(saved.has(sku));
  return till ? [make("button", { className: "primary", type: "button", textContent: word("rent"), onclick: rent }), save] : [save];
}

function toggle({ currentTarget: button }) {
  const now = !saved.delete(sku);
  if (now) saved.add(sku);
  button.ariaPressed = String(now);
  try {
    localStorage[SAVED] = JSON.stringify([...saved]);
  } catch {} // forbidden: it lasts as long as the page
  told(API, { kind: now ? "save" : "unsave", sku });
  const words = now ? ["saved", "saved_untold"] : ["unsaved", "unsaved_untold"];
  return report(word(words[allowed() ? 0 : 1]), allowed());
}

async function rent({ currentTarget: button }) {
  if (!allowed()) return report(word("rented_untold"));
  button.disabled = true;
  const body = JSON.stringify({ visitor: visitorFromNow(), event: String(Math.random()) });
  const answer = await fetch(till, { method: "POST", headers: { "Content-Type": "application/json" }, body }).catch(() => null);
  button.disabled = false;
  return answer?.ok ? report(word("rented"), true) : report(word("not_rented"));
}

function report(text, noted = false) {
  const link = noted ? make("a", { href: main.dataset.home, textContent: word("for_you") }) : "";
  document.getElementById("done").replaceChildren(`${text} `, link);
}
