// A dress in the grids of the demo shop.

import { make, picture } from "../dress-looks/parts.js";

/** `lines` are what it says below the title. */
export function card(dress, href, lines, tag = "") {
  const frame = make("span", { className: "frame" }, dress.cover ? picture(dress.cover, "(min-width: 60rem) 22vw, 46vw") : "");
  if (tag) frame.append(make("span", { className: "tag", textContent: tag }));
  const said = lines.map((textContent) => make("small", { textContent }));
  return make("li", {}, make("a", { href }, frame, make("b", { textContent: dress.title }), ...said));
}

/** Of a product page, from the address of the one of the dress "SKU". */
export const productPage = (template, sku) => template.replace("SKU", () => encodeURIComponent(sku));
