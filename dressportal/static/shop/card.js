// A dress in the grids of the demo shop.

import { make, picture } from "../dress-looks/parts.js";

/** `lines` are what it says below the title. */
export const card = (dress, href, lines, tag = "") => make("li", {}, dressLink(dress, href, lines, 22, tag));

/** `width` of its photo is in hundredths of the window, at a desk. */
export function dressLink(dress, href, lines, width, tag = "") {
  const frame = make("span", { className: "frame" }, dress.cover ? picture(dress.cover, `(min-width: 60rem) ${width}vw, 46vw`) : "");
  if (tag) frame.append(make("span", { className: "tag", textContent: tag }));
  const said = lines.map((textContent) => make("small", { textContent }));
  return make("a", { href }, frame, make("b", { textContent: dress.title }), ...said);
}

/** Of a product page, from the address of the one of the dress "SKU". */
export const productPage = (template, sku) => template.replace("SKU", () => encodeURIComponent(sku));
