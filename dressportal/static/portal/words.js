// What the script says: the texts stand in the page, in its language.

const words = document.getElementById("words");
const toasts = document.getElementById("toasts");
const toast = document.getElementById("toast-template");

export function word(name, values = {}) {
  const text = words.content.querySelector(`[data-word="${name}"]`).textContent;
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

export function say(text) {
  const said = toast.content.firstElementChild.cloneNode();
  said.textContent = text;
  toasts.replaceChildren(said);
}
