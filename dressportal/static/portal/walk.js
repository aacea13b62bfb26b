// A walk from one dress to another: the slider shows one place at a time, large.

const walk = document.getElementById("walk");
const slider = walk?.querySelector(".slider");
const places = [...(walk?.querySelectorAll(".places li") ?? [])];

function go(place) {
  places.forEach((node, index) => (node.hidden = index !== place));
  const percent = `${places[place].dataset.at}%`;
  slider.querySelector("output").textContent = percent;
  slider.querySelector("input").setAttribute("aria-valuetext", percent);
}

if (slider) {
  const input = slider.querySelector("input");
  slider.hidden = false;
  walk.classList.add("by-slider");
  input.oninput = () => go(Number(input.value));
  go(Number(input.value)); // the browser may have kept it
}
