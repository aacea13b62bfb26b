// The product page of the demo shop: everything it shows comes from the API's answer for one dress.

import { make, picture, price } from "../dress-looks/parts.js";
import { word } from "../portal/words.js";
import { productPage } from "./card.js";
import { deedsOf } from "./deeds.js";

const main = document.getElementById("main");
const language = document.documentElement.lang;
const place = (id) => document.getElementById(id);

function showPhotos(dress) {
  const plates = dress.photos.slice(1).map((photo, index) => {
    const alt = word("photo", { title: dress.title, n: index + 2 });
    return Object.assign(picture(photo, "(min-width: 60rem) 28vw, 84vw"), { alt });
  });
  const [cover] = place("plates").children; // the page has it
  place("plates").replaceChildren(cover, ...plates);
}

function showDetails(dress) {
  const details = { colour: dress.colour, cut: dress.category, sku: dress.sku };
  const known = Object.entries(details).filter(([, value]) => value);
  place("details").replaceChildren(
    ...known.map(([term, value]) => make("div", {}, make("dt", { textContent: word(term) }), make("dd", { textContent: value }))),
  );
}

function showStock(dress) {
  const count = new Intl.NumberFormat(language).format(dress.looks_count);
  const worn = make("a", { className: "text-button", href: "#worn", textContent: word("worn", { n: count }) });
  const stock = make("p", { className: "stock", textContent: word("in_stock") });
  const deeds = make("p", { className: "deeds" }, ...deedsOf());
  const note = make("p", { className: "note", id: "done", role: "status" });
  place("offer").replaceChildren(stock, deeds, note, dress.looks_count ? make("p", {}, worn) : "");
}

async function showAlternatives(dress) {
  const coming = dress.available_from && new Date(dress.available_from) > new Date();
  const date = new Intl.DateTimeFormat(language, { dateStyle: "long" });
  const text = coming
    ? word("coming", { day: date.format(new Date(dress.available_from)) })
    : word("gone");
  place("offer").replaceChildren(make("p", { className: "stock gone", textContent: text }));
  const { results } = await read(`${dress.similar_url}?limit=4`);
  if (!results.length) return;
  const cards = results.map((other) => {
    const title = make("span", { textContent: other.title });
    return make("li", {}, make("a", { href: productPage(main.dataset.product, other.sku) }, picture(other.cover, "8rem"), title));
  });
  const heading = make("p", { className: "note", textContent: word("instead") });
  place("offer").append(heading, make("ul", { className: "alternatives" }, ...cards));
}

async function read(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${answer.status} from ${address}`);
  return answer.json();
}

function fail() {
  const again = make("button", { className: "text-button", type: "button", textContent: word("retry") });
  again.onclick = show;
  place("offer").replaceChildren(make("p", { className: "note", textContent: `${word("failed")} ` }, again));
}

async function show() {
  try {
    const dress = await read(main.dataset.dress);
    place("price").textContent = dress.price ? price(dress.price, language) : "";
    showPhotos(dress);
    showDetails(dress);
    await (dress.in_stock ? showStock(dress) : showAlternatives(dress));
  } catch {
    fail();
  }
}

show();
