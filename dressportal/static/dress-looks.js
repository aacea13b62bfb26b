// <dress-looks sku="…">: customers wearing a dress, for any page of any shop. No dependency, no cookie.
// Its attributes, custom properties and events are described in docs/api.md.

import { make, picture, price, webAddress } from "./dress-looks/parts.js";
import sheet from "./dress-looks/style.js";
import { API, told } from "./dress-looks/told.js";
import { Viewer } from "./dress-looks/viewer.js";
import { WORDS } from "./dress-looks/words.js";

const SHAPES = [1.25, 1, 1.33, 1.25, 1.33, 1, 1.25, 1.33]; // height to width, of what is not loaded yet
const IDEAL = 280; // pixels a column likes to be wide
const WIDEST = 400;

class DressLooks extends HTMLElement {
  static observedAttributes = ["sku", "api", "limit", "lang", "similar", "empty", "heading", "href"];

  looks = [];
  #tiles = [];
  #page = 0;
  #run = new AbortController();
  #queued = false;
  #observer = new ResizeObserver(() => this.#layout());

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
  }

  connectedCallback() {
    this.#queue();
  }

  attributeChangedCallback() {
    this.#queue();
  }

  disconnectedCallback() {
    this.#run.abort();
    this.#observer.disconnect();
    this.viewer?.close();
  }

  get language() {
    return this.getAttribute("lang") || this.closest("[lang]")?.lang || "en";
  }

  get hasMore() {
    return !this.button.hidden;
  }

  say = (word, values = {}) => {
    const words = WORDS[this.language.slice(0, 2).toLowerCase()] ?? WORDS.en;
    return words[word].replace(/{(\w+)}/g, (_, name) => values[name]);
  };

  tell(event, look) {
    const detail = { sku: this.getAttribute("sku"), look: look.id };
    this.dispatchEvent(new CustomEvent(event, { bubbles: true, composed: true, detail }));
    this.note("open", detail.sku, look.id);
  }

  /** For the portal, unless the shop, the browser or the shopper says no. */
  note(kind, sku, look) {
    if (this.getAttribute("tracking") !== "off") told(this.#api, { kind, sku, look });
  }

  get #api() {
    return new URL(this.getAttribute("api") || API, location.href).href.replace(/\/+$/, "");
  }

  get #path() {
    return `dresses/${encodeURIComponent(this.getAttribute("sku") ?? "")}`;
  }

  get #limit() {
    return Math.min(Math.max(Number.parseInt(this.getAttribute("limit"), 10) || 12, 1), 100);
  }

  async fetch(path) {
    const answer = await fetch(`${this.#api}/${path}`, { signal: this.#run.signal, credentials: "omit" });
    if (!answer.ok) throw Object.assign(new Error(`${answer.status} from ${answer.url}`), { status: answer.status });
    return answer.json();
  }

  /** Several attributes that change together start it once. */
  #queue() {
    if (this.#queued) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      if (this.isConnected) this.#start();
    });
  }

  #start() {
    this.disconnectedCallback();
    this.#run = new AbortController();
    this.looks = [];
    this.#page = 0;
    this.#frame();
    this.#observer.observe(this.wall);
    this.more().then(() => this.#openFirst()).then(() => this.#alike());
  }

  #frame() {
    const heading = this.getAttribute("heading") ?? this.say("worn");
    this.count = make("span");
    this.wall = make("ul", { className: "wall", role: "list" });
    this.notice = make("div", { className: "notice", role: "status", hidden: true });
    this.button = make("button", { className: "pill more", type: "button", hidden: true, onclick: () => this.more() });
    const header = make("header", { hidden: !heading }, make("h2", { textContent: heading }), this.count);
    this.gallery = make("section", { ariaLabel: heading }, header, this.wall, this.notice, this.button);
    this.alike = make("div");
    this.viewer = new Viewer(this);
    this.shadowRoot.replaceChildren(this.gallery, this.alike, this.viewer.dialog);
  }

  /** Loads the next page of looks; what goes wrong is shown, never thrown. */
  async more() {
    const run = this.#run;
    if (this.wall.ariaBusy === "true") return;
    this.#wait();
    const query = `limit=${this.#limit}&page=${this.#page + 1}`;
    const page = await this.fetch(`${this.#path}/looks/?${query}`).catch((error) => {
      return error.status === 404 ? { count: this.looks.length, results: [], next: null, unknown: true } : null;
    });
    if (run !== this.#run) return;
    if (!this.looks.length) this.wall.replaceChildren(...(this.#tiles = []));
    if (page) this.#show(page);
    else this.#fail();
    this.wall.ariaBusy = "false";
    this.button.disabled = false;
    this.#layout();
  }

  #wait() {
    this.notice.hidden = true;
    this.wall.hidden = false;
    this.wall.ariaBusy = "true";
    this.button.disabled = true;
    this.button.textContent = this.say("loading");
    if (this.looks.length) return;
    this.#tiles = SHAPES.slice(0, this.#limit).map((shape) => ({ shape, node: make("li", { className: "wait" }) }));
    this.wall.replaceChildren(...this.#tiles.map(({ node }) => node));
    this.#layout();
  }

  #show(page) {
    this.#page += 1;
    if (this.#page === 1 && !page.unknown) this.note("view", this.getAttribute("sku"));
    page.results.forEach((look) => this.#add(look));
    this.count.textContent = page.count ? new Intl.NumberFormat(this.language).format(page.count) : "";
    this.button.textContent = this.say("more");
    this.button.hidden = !page.next;
    if (!this.looks.length) this.#empty();
  }

  #empty() {
    this.gallery.hidden = this.getAttribute("empty") === "hide";
    this.#notify("none");
  }

  #fail() {
    const again = make("button", { className: "pill", type: "button", textContent: this.say("retry") });
    again.onclick = () => this.more();
    this.button.hidden = true;
    this.#notify("failed", again);
  }

  #notify(word, button) {
    this.wall.hidden = !this.looks.length;
    this.notice.hidden = false;
    this.notice.replaceChildren(make("p", { textContent: this.say(word) }), button ?? "");
  }

  #add(look) {
    const image = picture(look.photo);
    const fields = { type: "button", ariaLabel: this.say("look", { n: this.looks.push(look) }) };
    const node = make("li", {}, make("button", fields, image), this.#credit(look));
    const tile = { shape: look.photo.large.height / look.photo.large.width, node };
    node.firstChild.onclick = () => this.viewer.open(this.looks.indexOf(look));
    image.onerror = () => this.#drop(look, tile); // withdrawn since the list was made
    this.#tiles.push(tile);
    this.wall.append(node);
  }

  #drop(look, tile) {
    this.looks = this.looks.filter((other) => other !== look);
    this.#tiles = this.#tiles.filter((other) => other !== tile);
    tile.node.remove();
    this.#layout();
    if (!this.looks.length && !this.hasMore) this.#empty();
  }

  place(look) {
    return this.say("on", { place: look.source.charAt(0).toUpperCase() + look.source.slice(1) });
  }

  #credit(look) {
    const href = webAddress(look.permalink);
    const fields = { className: "credit", textContent: look.credit ? `@${look.credit}` : this.place(look) };
    return href ? make("a", { ...fields, href, target: "_blank", rel: "noopener nofollow ugc" }) : make("span", fields);
  }

  focusLook(index) {
    const node = this.#tiles[index]?.node;
    node?.firstChild.focus();
    node?.scrollIntoView({ block: "nearest" });
  }

  /** Each look goes under the shortest column; those that come later move nothing. */
  #layout() {
    const width = this.wall.clientWidth;
    const gap = Number.parseFloat(getComputedStyle(this.wall).rowGap) || 0;
    const columns = Math.min(Math.max(2, Math.round(width / IDEAL)), this.#tiles.length);
    const each = Math.min((width - gap * (columns - 1)) / columns, WIDEST);
    const heights = Array(columns).fill(0);
    for (const { shape, node } of this.#tiles) {
      const column = heights.indexOf(Math.min(...heights));
      const box = { left: column * (each + gap), top: heights[column], width: each, height: each * shape };
      for (const [side, length] of Object.entries(box)) node.style.setProperty(side, `${length}px`);
      if (!node.className) node.firstChild.firstChild.sizes = `${Math.ceil(each)}px`;
      heights[column] += box.height + gap;
    }
    this.wall.style.setProperty("height", `${Math.max(gap, ...heights) - gap}px`);
  }

  /** The look that the page was opened for. */
  async #openFirst() {
    const run = this.#run;
    const id = Number(this.getAttribute("look"));
    const index = () => this.looks.findIndex((look) => look.id === id);
    while (id && index() < 0 && this.hasMore && run === this.#run) await this.more();
    if (run === this.#run && index() >= 0) this.viewer.open(index());
  }

  async #alike() {
    const run = this.#run;
    if (run.signal.aborted || this.getAttribute("similar") === "off") return;
    const found = await Promise.all([this.#strip("looks", "similar/"), this.#strip("likes", "similar/?by=likes")]);
    if (run === this.#run) this.alike.replaceChildren(...found);
  }

  /** Nothing where it was found by something else instead, for want of what is asked for. */
  async #strip(by, path) {
    const { by: found, results } = await this.fetch(`${this.#path}/${path}`).catch(() => ({ results: [] }));
    if (found !== by || !results.length) return "";
    const because = make("span", { textContent: this.say(`by_${by}`) });
    const header = make("header", {}, make("h2", { textContent: this.say(`alike_${by}`) }), because);
    return make("section", {}, header, this.strip(results));
  }

  strip(dresses) {
    return make("ul", { className: "strip", role: "list" }, ...dresses.map((dress) => make("li", {}, this.card(dress))));
  }

  card(dress, className = "card") {
    const cover = dress.cover ? picture(dress.cover, "12em") : make("span", { className: "blank" });
    const text = make("span", {}, make("b", { textContent: dress.title }), make("small", { textContent: dress.designer }));
    if (dress.price) text.append(make("small", { textContent: price(dress.price, this.language) }));
    const onclick = () => this.note("click", dress.sku);
    return make("a", { className, href: this.address(dress), onclick }, cover, text);
  }

  /** Of a product page: the shop's own, or the portal's. */
  address(dress) {
    const template = this.getAttribute("href") || `${new URL(this.#api).origin}/dresses/{sku}/`;
    const filled = template.replace("{sku}", () => encodeURIComponent(dress.sku));
    return webAddress(new URL(filled, location.href)) ?? "#";
  }
}

if (!customElements.get("dress-looks")) customElements.define("dress-looks", DressLooks);
