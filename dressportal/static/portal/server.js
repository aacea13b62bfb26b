// Talking to the server about cards; the other forms are htmx's.

const WAIT_MS = 15_000;
const LATER = [408, 425, 429, 502, 503, 504]; // not refused: try again
const { "X-CSRFToken": token } = JSON.parse(document.getElementById("main").getAttribute("hx-headers"));

// The response, or null if there was none worth the name.
export async function post(url, fields) {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one);
  const headers = { "X-CSRFToken": token, "HX-Request": "true" };
  const options = { method: "POST", body, headers, keepalive: true, signal: AbortSignal.timeout(WAIT_MS) };
  const response = await fetch(url, options).catch(() => null);
  return response && !LATER.includes(response.status) ? response : null;
}
