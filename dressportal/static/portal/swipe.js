// Swipes on the photo: left, up and right are the first three dresses, down is "not a dress". The photo follows
// the finger, a label says what letting go will do, and moving back takes it back.

import { bloom, current, isGuarded } from "./deck.js";

const STIR = 10; // px before a touch is a swipe
const FAR = 72; // px from where letting go answers
const EDGE = 20; // px at the sides of the screen where the system's own swipes begin
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

let swipe = null;

export function listen(deck, answer) {
  deck.addEventListener("pointerdown", begin);
  deck.addEventListener("pointermove", move);
  deck.addEventListener("pointerup", (event) => end(event, answer));
  deck.addEventListener("pointercancel", cancel);
  // Without this a quick swipe counts as a fling, and the browser takes the next tap for the hand that stops it.
  deck.addEventListener("touchmove", (event) => swipe && event.preventDefault(), { passive: false });
}

function begin(event) {
  if (swipe || !event.isPrimary) return cancel(); // a second finger: a pinch
  const photo = event.target.closest(".photo");
  const fromEdge = Math.min(event.clientX, innerWidth - event.clientX) < EDGE;
  if (!photo || event.pointerType === "mouse" || fromEdge || isGuarded()) return;
  swipe = { id: event.pointerId, x: event.clientX, y: event.clientY, card: photo.closest(".card"), stirred: false };
  photo.setPointerCapture(event.pointerId);
}

function move(event) {
  if (event.pointerId !== swipe?.id) return;
  const [x, y] = [event.clientX - swipe.x, event.clientY - swipe.y];
  swipe.stirred ||= Math.hypot(x, y) > STIR;
  if (swipe.stirred) follow(x, y);
}

function follow(x, y) {
  const { card } = swipe;
  const distance = Math.hypot(x, y);
  const button = buttonTowards(card, x, y);
  const far = Boolean(button) && distance >= FAR;
  const image = card.querySelector(".photo img");
  if (!calm) image.style.transform = `translate(${x}px, ${y}px) rotate(${x / 30}deg)`;
  const label = card.querySelector(".aim");
  label.hidden = !button;
  label.textContent = button ? nameOf(button) : "";
  label.classList.toggle("far", far);
  aimAt(card, far ? button : null);
}

function buttonTowards(card, x, y) {
  if (Math.abs(x) < Math.abs(y) && y > 0) return card.querySelector("[value=not_a_dress]");
  const place = Math.abs(x) < Math.abs(y) ? 1 : x < 0 ? 0 : 2;
  return card.querySelectorAll(".option")[place];
}

const nameOf = (button) => (button.querySelector(".title") ?? button.firstChild).textContent.trim();

function aimAt(card, button) {
  card.querySelector(".aimed")?.classList.remove("aimed");
  button?.classList.add("aimed");
}

function end(event, answer) {
  if (event.pointerId !== swipe?.id) return;
  const { card, stirred } = swipe;
  const aimed = card.querySelector(".aimed");
  if (stirred) card.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => card.removeEventListener("click", swallow, true));
  if (aimed && card === current()) {
    const [x, y] = [event.clientX - swipe.x, event.clientY - swipe.y];
    const image = card.querySelector(".photo img");
    image.animate({ transform: `translate(${3 * x}px, ${3 * y}px) rotate(${x / 10}deg)`, opacity: 0 }, bloom);
    answer(card, aimed);
  }
  cancel();
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

function cancel() {
  if (!swipe) return;
  const { card } = swipe;
  swipe = null;
  aimAt(card, null);
  card.querySelector(".aim").hidden = true;
  card.querySelector(".photo img").style.transform = "";
}
