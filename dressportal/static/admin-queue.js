/* Queues worked by keys: whatever has data-key answers to it; data-focus takes the cursor. */

const queue = () => document.getElementById("queue");

function typing(target) {
  return target.matches("input:not([type=checkbox]), textarea, select") && target.type !== "hidden";
}

function keyed(name, key) {
  return queue().querySelector(`[${name}="${CSS.escape(key)}"]`);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (typing(event.target)) return move(event);
  const field = keyed("data-focus", event.key);
  const pressed = keyed("data-key", event.key.toLowerCase());
  if (!field && !pressed) return;
  event.preventDefault();
  if (field) field.select();
  else if (!document.querySelector(".htmx-request")) pressed.click();
});

/* From the search field into what it found, and out of it. */
function move(event) {
  const first = queue().querySelector("#found button");
  if (event.key === "ArrowDown" && first) {
    event.preventDefault();
    first.focus();
  } else if (event.key === "Escape") event.target.blur();
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "queue") queue().focus({ preventScroll: true });
});
