// What a shopper does, for the portal: no cookie, and a random key that says nothing about them.
// For a shop's own pages, too: docs/api.md says how.

const KEY = "dress-looks";
const OFF = "dress-looks-off";
const random = () => crypto.getRandomValues(new BigUint64Array(2)).join("-");
const kept = {}; // where the browser's store is forbidden: it lasts as long as the page

export const API = new URL("/api/v1", import.meta.url).href;

function store(change) {
  try {
    return change(localStorage);
  } catch {
    return change(kept);
  }
}

/** The key of this browser; nothing before anything was told. */
export const visitor = () => store((place) => place[KEY]);
export const visitorFromNow = () => store((place) => (place[KEY] ||= random()));

/** Whether anything may be told, by this browser and whoever sits before it. */
export const allowed = () => !navigator.globalPrivacyControl && !store((place) => place[OFF]);

export function allow(yes) {
  store((place) => (yes ? delete place[OFF] : (place[OFF] = "yes")));
}

export function told(api, event) {
  if (!allowed()) return;
  const body = { visitor: visitorFromNow(), events: [{ event: random(), ...event }] };
  navigator.sendBeacon(`${api}/interactions/`, JSON.stringify(body));
}

/** All that was told, there and here. */
export async function forget(api) {
  const answer = await fetch(`${api}/interactions/?visitor=${visitor()}`, { method: "DELETE" });
  if (!answer.ok) throw new Error(`${answer.status} from ${answer.url}`);
  store((place) => delete place[KEY]);
}
