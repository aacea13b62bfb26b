// Answers: from a tap to the server, and what comes back. The server decides what is in the deck.

import { bringBack, cardOf, change, current, deck, isDone, isGuarded, leases, putAside, send } from "./deck.js";
import { Outbox } from "./outbox.js";
import { cards, post } from "./server.js";
import { elapsed } from "./stopwatch.js";
import { say, word } from "./words.js";

const undo = document.getElementById("undo");
const undoForm = document.getElementById("undo-template");
const kept = document.getElementById("kept");
const voteUrl = deck.dataset.vote;
let catchingUp = false;

const outbox = new Outbox(`answers of ${deck.dataset.player}`, deliver, ({ entries, isStuck }) => {
  const text = isStuck ? word("kept", { n: entries.length }) : "";
  if (kept.textContent !== text) kept.textContent = text;
  if (!entries.length && isDone()) catchUp();
});

export const held = () => [...new Set([...leases(), ...outbox.entries.map((entry) => entry.lease)])];

const clear = (...ids) => ids.forEach((id) => document.getElementById(id).replaceChildren());

export function answer(card, button) {
  if (card.dataset.choice || isGuarded() || card !== current()) return;
  outbox.add({ lease: card.dataset.lease, choice: button.value, viewed: elapsed() });
  send(card, button);
  clear("feedback", "after", "toasts");
  offerUndo(newest());
}

// This window's newest answer that is on its way.
const newest = () => outbox.entries.findLast(({ lease }) => cardOf(lease));

// For the server, a skip is final.
function offerUndo(entry) {
  undo.replaceChildren();
  if (!entry || entry.choice === "skip") return;
  undo.append(undoForm.content.cloneNode(true));
  undo.querySelector("[name=lease]").value = entry.lease;
  undo.querySelector("button").dataset.key = "u";
}

export function takeBack({ action, elements }) {
  clear("toasts");
  const lease = elements.lease.value;
  if (!outbox.takeBack(lease)) return outbox.add({ url: action, back: lease });
  bringBack(cardOf(lease));
  offerUndo(newest());
}

// One answer, or an undo, to the server. False: no answer, try again.
async function deliver({ lease, choice, viewed, url, back }, again) {
  const others = held().filter((other) => other && other !== lease && other !== back);
  const response = await post(url ?? voteUrl, { lease: lease ?? back, ...(lease && { choice, viewed }), held: others });
  if (!response && lease) return false;
  const goTo = response?.headers.get("HX-Redirect");
  if (goTo || (response?.status === 403 && !again)) {
    location.assign(goTo ?? location.href); // logged out, or a token of an earlier log-in; the answer waits
    return false;
  }
  const card = lease && cardOf(lease);
  if (response?.ok || response?.status === 409) {
    take(await response.text(), card, lease ? "beforeend" : "afterbegin");
    if (newest()) offerUndo(newest());
  } else {
    say(word(response ? "failed" : "unreachable"));
    if (card) bringBack(card);
  }
  return true;
}

function take(html, card, swapStyle) {
  const photo = card?.querySelector(".photo img").cloneNode();
  change(() => htmx.swap(deck, html, { swapStyle, swapDelay: 0, settleDelay: 0 }), card);
  if (photo) illustrate(photo);
}

// What is asked about the last photo shows it, for the next one is on the screen already.
function illustrate(photo) {
  photo.alt = "";
  photo.removeAttribute("style");
  document.querySelector("#after .remark")?.prepend(photo);
}

// Another window has sent the last answers of this one, and got the cards that came for them.
async function catchUp() {
  if (catchingUp) return;
  catchingUp = true;
  const response = await cards(deck.dataset.cards);
  if (response && isDone()) {
    deck.replaceChildren();
    take(await response.text(), null, "beforeend");
  }
  catchingUp = false;
}

export async function flag(button) {
  const { form, value, formAction } = button;
  const response = await post(formAction, { lease: form.elements.lease.value, reason: value, held: held() });
  form.querySelector("details").open = false;
  form.closest(".card").focus({ preventScroll: true });
  if (response?.ok || response?.status === 409) take(await response.text(), null, "beforeend");
  else say(word(response ? "failed" : "unreachable"));
}

export function start() {
  putAside(outbox.entries);
  outbox.send();
}
