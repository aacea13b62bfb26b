// Talking to the server about cards; the other forms are htmx's.

const WAIT_MS = 15_000;
const LATER = [408, 425, 429, 502, 503, 504]; // not refused: try again
const { "X-CSRFToken": token } = JSON.parse(document.getElementById("main").getAttribute("hx-headers"));

// The response, or null if there was none worth the name.
export async function post(url, fields) {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one);
  const response = await ask(url, { method: "POST", body, keepalive: true });
  return response && !LATER.includes(response.status) ? response : null;
}

// The cards in hand, as a response, or null if they did not come.
export async function cards(url) {
  const response = await ask(url);
  return response?.ok && !response.redirected ? response : null;
}

function ask(url, options) {
  const headers = { "X-CSRFToken": token, "HX-Request": "true" };
  return fetch(url, { ...options, headers, signal: AbortSignal.timeout(WAIT_MS) }).catch(() => null);
}
