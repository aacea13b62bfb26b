// "Dream for me": whoever is known here is led to dreams near what they like; the key itself stands in no address.

import { API, allowed, visitor } from "../dress-looks/told.js";
import { word } from "../portal/words.js";

const main = document.getElementById("main");
const mine = document.getElementById("mine");
const note = document.getElementById("note");

async function offer() {
  const answer = await fetch(`${API}/dreams/for/?count=1&limit=0&visitor=${visitor()}`);
  if (!answer.ok) throw new Error(`${answer.status} from ${answer.url}`);
  const { results, fallback } = await answer.json();
  if (fallback) {
    note.textContent = word(fallback.reason === "no_tastes" ? "tasteless" : "stranger");
    return;
  }
  const query = new URLSearchParams(results[0].like.map((sku) => ["like", sku]));
  mine.querySelector("a").href = `${main.dataset.page}?${query}`;
  mine.hidden = false;
}

const said = new URLSearchParams(location.search);
if (allowed() && visitor() && !said.has("like") && !said.has("look")) {
  offer().catch(() => (note.textContent = word("failed")));
}
