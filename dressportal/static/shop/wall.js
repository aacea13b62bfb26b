// The collection: dresses from the API, those with the most looks first.

import { make, price } from "../dress-looks/parts.js";
import { word } from "../portal/words.js";
import { card, productPage } from "./card.js";

const PAUSE = 200; // ms without a key before the search starts
const main = document.getElementById("main");
const language = document.documentElement.lang;
const place = (id) => document.getElementById(id);
const form = place("search");
const wall = place("dresses");
let page = 0;
let run = new AbortController();
let loading = null; // the run that waits for an answer

function tile(dress) {
  const cost = dress.in_stock ? dress.price && price(dress.price, language) : word("sold_out");
  const href = productPage(main.dataset.product, dress.sku);
  return card(dress, href, [dress.designer, cost ?? ""], dress.looks_count ? looks(dress.looks_count) : "");
}

const looks = (count) => word(count === 1 ? "look" : "looks", { n: count });

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
  if (loading === run) return;
  const mine = (loading = run);
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
  if (loading !== mine) return;
  loading = null;
  place("more").disabled = false;
}

function show({ count, results, next }) {
  page += 1;
  if (page === 1) wall.replaceChildren();
  wall.append(...results.map(tile));
  place("next").hidden = !next;
  const n = new Intl.NumberFormat(language).format(count);
  if (count) tell(word(count === 1 ? "dress" : "dresses", { n }));
  else tell(word(query().toString() ? "nothing" : "empty"));
}

function fail() {
  if (!page) wall.replaceChildren();
  place("next").hidden = true;
  const again = make("button", { className: "text-button", type: "button", textContent: word("retry"), onclick: more });
  tell(`${word("failed")} `, again);
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
