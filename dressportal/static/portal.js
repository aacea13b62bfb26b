// The game's quick hands. The server decides what is in the deck; this only shows it without a wait:
// the tapped card goes at once, the next one has been loaded before, and an error brings the card back.

const GUARD_MS = 300; // a second tap of a double tap must not hit the next card
const bloom = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120;
const deck = document.getElementById("deck");
const toasts = document.getElementById("toasts");
let shownAt = 0;

const current = () => deck.querySelector(".card:not(.sent)");

function show(card) {
  shownAt = performance.now();
  (card ?? document.querySelector("#finale section"))?.focus({ preventScroll: true });
}

function say(text) {
  const toast = document.getElementById("sorry-template").content.firstElementChild.cloneNode();
  toast.textContent = text;
  toasts.replaceChildren(toast);
}

function decode(card) {
  for (const image of card.querySelectorAll("img")) image.decode().catch(() => {});
}

function leave(card) {
  if (!card.dataset.choice) return; // brought back meanwhile
  card.classList.add("sent");
  show(current());
}

function bringBack(card, text) {
  delete card.dataset.choice;
  card.classList.remove("sent");
  card.querySelector(".chosen")?.classList.remove("chosen");
  say(text);
  show(current());
}

// Before htmx sees the form: one answer per card, and the card goes.
document.addEventListener("submit", (event) => {
  const card = event.target.closest(".card");
  if (!card) return;
  if (card.dataset.choice || performance.now() - shownAt < GUARD_MS) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  card.dataset.choice = event.submitter.value;
  event.submitter.classList.add("chosen");
  setTimeout(leave, bloom, card);
}, true);

// Votes wait for each other, so what is sent is written down when it is sent, not when it is tapped.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const card = detail.elt.closest(".card");
  if (card) detail.parameters.choice = card.dataset.choice;
  const held = [...deck.querySelectorAll(".card")].filter((other) => other !== card);
  detail.parameters.held = held.map((other) => other.dataset.lease);
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const card = detail.elt.closest(".card");
  const status = detail.xhr.status;
  if (detail.successful || status === 409) {
    if (!card) return;
    const wasShown = card === current() || !current();
    card.remove();
    if (wasShown) show(current());
  } else {
    const text = status
      ? "That went wrong on our side and was not counted. Please try again."
      : "No connection, so that was not counted. Please try again.";
    if (card) bringBack(card, text);
    else say(text);
  }
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target !== deck) return;
  deck.querySelectorAll(".card").forEach(decode);
  if (!detail.elt.closest(".card")) show(current()); // an undone card came back
});

// A key presses the button that carries it.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog[open]")) return;
  const selector = `[data-key="${CSS.escape(event.key.toLowerCase())}"]`;
  const button = current()?.querySelector(selector) ?? document.querySelector(`#undo ${selector}, main > ${selector}`);
  if (!button) return;
  event.preventDefault();
  button.click();
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  const menu = document.querySelector(".menu[open]");
  if (!menu?.contains(event.target)) menu?.removeAttribute("open");
});

document.documentElement.classList.add("scripted");
deck.querySelectorAll(".card").forEach(decode);
