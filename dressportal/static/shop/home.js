// The home page of the demo shop: what the server drew is what many people like; whoever is known gets their own.

import { make, price } from "../dress-looks/parts.js";
import { API, allow, allowed, forget, told, visitor } from "../dress-looks/told.js";
import { word } from "../portal/words.js";
import { card, productPage } from "./card.js";
import { dreamFor } from "./dreamt.js";

const FALLBACKS = ["nothing_known", "nothing_learnt", "no_model", "model_unreadable"];
const page = document.documentElement;
const main = document.getElementById("main");
const language = page.lang;
const place = (id) => document.getElementById(id);
const list = place("dresses");
const popular = [...list.children];
let run = 0;

async function show() {
  const mine = ++run;
  const key = allowed() && visitor();
  page.classList.toggle("known", Boolean(key));
  list.ariaBusy = String(Boolean(key));
  dreamFor(key);
  if (!key) {
    draw(popular, "popular", word(allowed() ? "nothing_known" : "off"));
    return;
  }
  place("whose").textContent = word("own");
  const answer = await recommended(key).catch(() => null);
  if (mine !== run) return;
  page.classList.remove("known");
  list.ariaBusy = "false";
  if (answer) draw(...own(answer));
  else fail();
}

async function recommended(key) {
  const answer = await fetch(`${API}/recommendations/?limit=8&visitor=${key}`);
  if (!answer.ok) throw new Error(`${answer.status} from ${answer.url}`);
  return answer.json();
}

function own({ fallback, results }) {
  if (!fallback) return [results.map((dress) => tile(dress, true)), "own", word("known")];
  const reason = FALLBACKS.includes(fallback.reason) ? fallback.reason : FALLBACKS[0];
  return [results.map((dress) => tile(dress, false)), "popular", word(reason)];
}

function draw(tiles, title, note, button) {
  list.replaceChildren(...tiles);
  place("whose").textContent = word(title);
  place("note").replaceChildren(note, button ?? "");
  place("none").hidden = tiles.length > 0;
}

function fail() {
  const again = make("button", { className: "text-button", type: "button", textContent: word("retry"), onclick: show });
  draw(popular, "popular", `${word("failed")} `, again);
}

function tile(dress, reasoned) {
  const cost = dress.price ? price(dress.price, language) : "";
  const node = card(dress, productPage(main.dataset.product, dress.sku), [dress.designer, cost]);
  node.firstChild.onclick = () => told(API, { kind: "click", sku: dress.sku });
  if (reasoned || dress.reason.kind === "new") node.append(because(dress.reason));
  return node;
}

/** The reason, with the way back to the dress, or the look, that it speaks of. */
function because({ words, dress, look }) {
  const line = make("p", { className: "because", textContent: words });
  const at = dress ? words.indexOf(dress.title) : -1;
  if (at < 0) return line;
  const href = productPage(main.dataset.product, dress.sku) + (look ? `?look=${look}` : "");
  const link = make("a", { href, textContent: dress.title });
  line.replaceChildren(words.slice(0, at), link, words.slice(at + dress.title.length));
  return line;
}

// What the page knows

function showSwitch() {
  const forbidden = Boolean(navigator.globalPrivacyControl);
  Object.assign(place("learn"), { checked: allowed(), disabled: forbidden });
  place("forget").disabled = !visitor();
  if (forbidden) place("said").textContent = word("forbidden");
}

place("learn").onchange = ({ target }) => {
  allow(target.checked);
  place("said").textContent = word(target.checked ? "learning" : "not_learning");
  show();
};

place("forget").onclick = async () => {
  place("forget").disabled = true;
  try {
    await forget(API);
    place("said").textContent = word("forgotten");
  } catch {
    place("said").textContent = word("not_forgotten");
  }
  showSwitch();
  show();
};

for (const node of main.querySelectorAll("[data-amount]")) node.textContent = price(node.dataset, language);
for (const node of popular) node.firstElementChild.onclick = () => told(API, { kind: "click", sku: node.dataset.sku });
// Back from a dress: what was done there counts already.
addEventListener("pageshow", ({ persisted }) => {
  showSwitch();
  if (persisted) show();
});
show();
