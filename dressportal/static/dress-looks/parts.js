// What the gallery, the viewer and the demo shop build their pages of.

/** An element; strings among the children become text, never markup. */
export function make(tag, fields = {}, ...children) {
  const node = Object.assign(document.createElement(tag), fields);
  node.append(...children);
  return node;
}

/** The address if it leads to a web page, else null. */
export function webAddress(link) {
  try {
    const url = new URL(link);
    return ["http:", "https:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function picture(photo, sizes = "") {
  return make("img", {
    alt: "",
    sizes,
    loading: "lazy",
    decoding: "async",
    width: photo.small.width,
    height: photo.small.height,
    srcset: `${photo.small.url} ${photo.small.width}w, ${photo.large.url} ${photo.large.width}w`,
    src: photo.small.url,
  });
}

export function price({ amount, currency }, language) {
  const style = { style: "currency", currency, trailingZeroDisplay: "stripIfInteger" };
  return new Intl.NumberFormat(language, style).format(amount);
}
