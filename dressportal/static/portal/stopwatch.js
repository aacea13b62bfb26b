// How long the shown card has been in view. Time in another tab or app does not count.

let before = 0;
let since = null;

const now = () => performance.now();

export function restart() {
  before = 0;
  since = document.hidden ? null : now();
}

export const elapsed = () => Math.round(before + (since === null ? 0 : now() - since));

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    before = elapsed();
    since = null;
  } else {
    since ??= now();
  }
});
