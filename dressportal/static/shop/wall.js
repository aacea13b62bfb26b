// The collection: dresses from the API, those with the most looks first.

import { make, picture, price } from "../dress-looks/parts.js";

const PAUSE = 200; // ms without a key before the search starts
const main = document.getElementById("main");
const language = document.documentElement.lang;
const place = (id) => document.getElementById(id);
const form = place("search");
const wall = place("dresses");
let page = 0;
let run = new AbortController();

function card(dress) {
  const href = main.dataset.product.replace("SKU", () => encodeURIComponent(dress.sku));
  const frame = make("span", { className: "frame" }, dress.cover ? picture(dress.cover, "(min-width: 60rem) 22vw, 46vw") : "");
  if (dress.looks_count) frame.append(make("span", { className: "tag", textContent: looks(dress.looks_count) }));
  const cost = dress.in_stock ? dress.price && price(dress.price, language) : "No longer in stock";
  const lines = [make("b", { textContent: dress.title }), make("small", { textContent: dress.designer })];
  return make("li", {}, make("a", { href }, frame, ...lines, make("small", { textContent: cost ?? "" })));
}

const looks = (count) => (count === 1 ? "1 look" : `${count} looks`);

function query() {
  const fields = new FormData(form);
  return new URLSearchParams([...fields].filter(([, value]) => value));
}

function tell(text, button) {
  place("tally").replaceChildren(text, button ?? "");
}

function skeleton() {
  wall.replaceChildren(...Array.from({ length: 12 }, () => make("li", {}, make("span", { className: "frame wait" }))));
}

async function more() {
  const mine = run;
  const search = query();
  for (const [name, value] of Object.entries({ order: "looks", limit: 24, page: page + 1 })) search.set(name, value);
  place("more").disabled = true;
  try {
    const answer = await fetch(`${main.dataset.dresses}?${search}`, { signal: mine.signal });
    if (!answer.ok) throw new Error(`${answer.status} from ${answer.url}`);
    show(await answer.json());
  } catch {
    if (!mine.signal.aborted) fail();
  }
  place("more").disabled = false;
}

function show({ count, results, next }) {
  page += 1;
  if (page === 1) wall.replaceChildren();
  wall.append(...results.map(card));
  place("next").hidden = !next;
  if (count) tell(count === 1 ? "1 dress" : `${new Intl.NumberFormat(language).format(count)} dresses`);
  else tell(query().toString() ? "Nothing like it in the collection. Try fewer words." : "No dress has been imported yet.");
}

function fail() {
  if (!page) wall.replaceChildren();
  place("next").hidden = true;
  tell("The collection could not be loaded. ", make("button", { className: "text-button", type: "button", textContent: "Try again", onclick: more }));
}

function start() {
  run.abort();
  run = new AbortController();
  page = 0;
  skeleton();
  more();
}

const given = new URLSearchParams(location.search);
form.elements.q.value = given.get("q") ?? "";
form.elements.in_stock.checked = given.has("in_stock");

let timer;
form.oninput = () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    history.replaceState(null, "", `?${query()}`);
    start();
  }, PAUSE);
};
form.onsubmit = (event) => event.preventDefault();
place("more").onclick = more;
start();
