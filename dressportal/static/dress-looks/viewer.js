// One look, large, with who wore it and where the dress is to be had.

import { make, webAddress } from "./parts.js";

const SWIPE = 48; // pixels
const page = document.documentElement;

/** A part of a caption: a hashtag or a handle that leads somewhere, or mere text. */
function words({ text, url }) {
  const href = url && webAddress(url);
  return href ? make("a", { href, target: "_blank", rel: "noopener nofollow ugc", textContent: text }) : text;
}

/** Shows `gallery.looks`; the gallery also lends its words, its cards and its way to the API. */
export class Viewer {
  #gallery;
  #index = 0;
  #offers = new Map();
  #pageStyle = null; // as it was, while a look is open

  constructor(gallery) {
    this.#gallery = gallery;
    this.photo = make("img", { alt: "" });
    this.back = this.#round("previous", "‹", () => this.#turn(-1));
    this.forth = this.#round("next", "›", () => this.#turn(1));
    this.side = make("div", { className: "side" });
    const figure = make("figure", {}, this.photo, this.back, this.forth);
    const close = this.#round("close", "×", () => this.close());
    this.dialog = make("dialog", {}, close, figure, this.side);
    this.dialog.onclick = ({ target }) => target === this.dialog && this.close();
    this.dialog.onclose = () => this.#closed();
    this.dialog.onkeydown = ({ key }) => this.#turn({ ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0);
    let start = 0;
    figure.addEventListener("touchstart", ({ touches }) => (start = touches[0].clientX), { passive: true });
    figure.addEventListener("touchend", ({ changedTouches }) => {
      const way = changedTouches[0].clientX - start;
      if (Math.abs(way) > SWIPE) this.#turn(-Math.sign(way));
    });
  }

  #round(name, textContent, onclick) {
    const ariaLabel = this.#gallery.say(name);
    return make("button", { className: `round ${name}`, type: "button", ariaLabel, textContent, onclick });
  }

  open(index) {
    this.close();
    this.#pageStyle = page.style.cssText;
    page.style.paddingRight = `${innerWidth - page.clientWidth}px`; // where the scroll bar was
    page.style.overflow = "hidden";
    this.dialog.showModal();
    this.#show(index);
  }

  /** Also when it has left the page, and so never tells. */
  close() {
    this.dialog.close();
    this.#closed();
  }

  #closed() {
    if (this.dialog.open || this.#pageStyle === null) return;
    page.style.cssText = this.#pageStyle;
    this.#pageStyle = null;
    this.#gallery.focusLook(this.#index);
  }

  async #turn(step) {
    const index = this.#index + step;
    if (!step || index < 0) return;
    if (index >= this.#gallery.looks.length && this.#gallery.hasMore) await this.#gallery.more();
    if (index < this.#gallery.looks.length) this.#show(index);
  }

  #show(index) {
    const look = this.#gallery.looks[index];
    this.#index = index;
    // Truly disabled, a button would lose the focus, and the dialog the arrow keys with it.
    this.back.ariaDisabled = index === 0;
    this.forth.ariaDisabled = index + 1 === this.#gallery.looks.length && !this.#gallery.hasMore;
    this.dialog.ariaLabel = this.#gallery.say("look", { n: index + 1 });
    this.#enlarge(look);
    this.#describe(look);
    this.dialog.scrollTo(0, 0);
    this.#gallery.tell("look-open", look);
  }

  /** The small copy is there at once; the large one takes its place when it is whole. */
  #enlarge(look) {
    const { small, large } = look.photo;
    Object.assign(this.photo, { src: small.url, width: large.width, height: large.height });
    const whole = make("img", { src: large.url });
    const shown = () => this.#gallery.looks[this.#index] === look;
    whole.decode().then(() => shown() && (this.photo.src = large.url), () => {});
  }

  #describe(look) {
    const { say, language } = this.#gallery;
    const href = webAddress(look.permalink);
    const date = new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(new Date(look.posted_at));
    const place = this.#gallery.place(look);
    const link = href && make("a", { href, target: "_blank", rel: "noopener nofollow ugc", textContent: place });
    const who = look.credit ? `${say("by")} @${look.credit}` : say("worn");
    const caption = make("p", { className: "caption", dir: "auto" }, ...look.caption_parts.map(words));
    const offer = make("div", { className: "offer", ariaBusy: "true" }, make("span", { className: "card wait" }));
    const when = make("p", {}, `${date} · `, link || place);
    this.side.replaceChildren(make("h3", { textContent: who }), when, caption, offer);
    caption.hidden = !look.caption;
    this.#offer(look, offer);
  }

  async #offer(look, place) {
    const gallery = this.#gallery;
    if (!this.#offers.has(look.id)) this.#offers.set(look.id, gallery.fetch(`looks/${look.id}/shop/?limit=6`));
    try {
      const { dress, alternatives } = await this.#offers.get(look.id);
      place.replaceChildren(gallery.card(dress, "card wide"), ...this.#waysOn(dress, alternatives));
      place.ariaBusy = "false";
    } catch {
      this.#offers.delete(look.id); // asked again when the look is opened again
      place.hidden = true;
    }
  }

  #waysOn(dress, alternatives) {
    const { say } = this.#gallery;
    if (dress.in_stock) return [this.#link(dress)];
    if (!alternatives.length) return [make("p", { textContent: say("gone") })];
    return [make("p", { textContent: `${say("gone")} ${say("instead")}` }), this.#gallery.strip(alternatives)];
  }

  #link(dress) {
    const href = this.#gallery.address(dress);
    const link = make("a", { className: "pill main", href, textContent: this.#gallery.say("shop") });
    link.onclick = (event) => {
      this.#gallery.note("click", dress.sku);
      if (link.href !== location.href.split("#")[0]) return;
      event.preventDefault(); // the shopper is on its page already
      this.close();
      scrollTo(0, 0);
    };
    return link;
  }
}
