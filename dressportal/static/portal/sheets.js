// Dialogs and what opens them; pages such as the last ten answers are shown in a sheet.

import { change } from "./deck.js";
import { word } from "./words.js";

const sheet = document.getElementById("sheet");
const body = document.getElementById("sheet-body");
const after = document.getElementById("after");
const trouble = sheet.querySelector("[role=alert]");

export function listen(held) {
  document.addEventListener("click", open);
  document.addEventListener("keydown", shut);
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // beside it
  }
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.verb === "post") detail.parameters.held = held();
  });
  document.addEventListener("htmx:beforeSwap", swap);
  document.addEventListener("htmx:afterRequest", report);
  body.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target === body) body.querySelector("[autofocus]")?.focus();
  });
}

function open(event) {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opens);
    if (dialog === sheet) {
      sheet.setAttribute("aria-label", opener.firstChild.textContent.trim());
      body.replaceChildren();
      trouble.textContent = "";
    }
    dialog.showModal();
  }
  const dismissed = event.target.closest("[data-dismisses]")?.dataset.dismisses;
  if (dismissed) document.getElementById(dismissed).replaceChildren();
  for (const details of document.querySelectorAll(".menu[open], .flag[open]")) {
    if (!details.contains(event.target)) details.open = false;
  }
}

function shut({ key }) {
  const details = key === "Escape" && document.querySelector(".menu[open], .flag[open]");
  if (!details) return;
  details.open = false;
  details.querySelector("summary").focus();
}

// What comes back for the deck goes through it, so that the right card is shown after.
function swap(event) {
  const { detail } = event;
  if (detail.target.id !== "deck" || !detail.shouldSwap) return;
  detail.shouldSwap = false;
  change(() => htmx.swap(detail.target, detail.serverResponse, { swapStyle: "beforeend", swapDelay: 0, settleDelay: 0 }));
  const { elt } = detail.requestConfig;
  const vote = elt.elements?.vote?.value;
  if (elt.closest("#after") || (vote && after.querySelector(`[data-vote="${vote}"]`))) after.replaceChildren();
  if (elt.closest("#sheet")) sheet.close();
}

function report({ detail }) {
  const { status } = detail.xhr;
  const went = detail.successful || status === 409;
  trouble.textContent = went ? "" : word(status ? "failed" : "unreachable");
}
