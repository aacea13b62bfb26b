// Dreams on the home page: asked for once they are nearly on the screen, and only for whoever is known here.

import { make } from "../dress-looks/parts.js";
import { API } from "../dress-looks/told.js";
import { word } from "../portal/words.js";
import { dressLink, productPage } from "./card.js";

const DREAMS = 3;
const REAL = 6; // dresses told of each, so that three different ones are among them
const section = document.getElementById("dreamt");
const list = section?.querySelector(".pairs");
const near = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && draw(), { rootMargin: "30%" });
let visitor;

/** For the browser with this key; without one there is an invitation. */
export function dreamFor(key) {
  if (!section) return;
  visitor = key;
  near.disconnect();
  show(key ? Array.from({ length: DREAMS }, waiting) : [], "dream_invitation");
  if (key) near.observe(section);
}

async function draw() {
  near.disconnect();
  const mine = visitor;
  const dreams = await dreamt(mine).catch(() => []);
  if (mine !== visitor) return;
  if (dreams.length) show(pairs(dreams), "dreamt", whole(dreams[0]));
  else show([], "dream_invitation");
}

async function dreamt(key) {
  const answer = await fetch(`${API}/dreams/for/?count=${DREAMS}&limit=${REAL}&own_only=true&visitor=${key}`);
  if (!answer.ok) throw new Error(`${answer.status} from ${answer.url}`);
  return (await answer.json()).results;
}

function show(items, said, page = section.dataset.page) {
  section.querySelector(".next a").href = page;
  list.replaceChildren(...items);
  list.hidden = !items.length;
  section.querySelector(".note").textContent = word(said);
}

const waiting = () => make("li", { className: "pair wait" }, make("span", { className: "frame" }), make("span", { className: "frame" }));

/** Each dream beside the nearest dress that stands beside none yet. */
function pairs(dreams) {
  const shown = new Set();
  return dreams.map((dream) => {
    const real = dream.closest.find(({ sku }) => !shown.has(sku)) ?? dream.closest[0];
    shown.add(real?.sku);
    return make("li", { className: "pair" }, dreamCard(dream), real ? realCard(real) : "");
  });
}

/** The page of many dreams near the same dresses. */
const whole = ({ like }) => `${section.dataset.page}?${new URLSearchParams(like.map((sku) => ["like", sku]))}`;

function dreamCard(dream) {
  const { seed, image } = dream;
  const { url: src, width, height } = image;
  const alt = word("dream", { seed });
  const photo = make("img", { alt, width, height, loading: "lazy", decoding: "async", src });
  return make("a", { href: whole(dream) }, make("span", { className: "frame" }, photo), make("small", { textContent: word("a_dream") }));
}

function realCard(dress) {
  const href = productPage(document.getElementById("main").dataset.product, dress.sku);
  return dressLink(dress, href, [dress.designer], 14);
}
