// What a shopper does, for the portal: no cookie, and a random key that says nothing about them.

const random = () => crypto.getRandomValues(new BigUint64Array(2)).join("-");
let visitor = random();

export function told(api, event) {
  try {
    visitor = localStorage["dress-looks"] ||= visitor;
  } catch {} // forbidden: it lasts as long as the page
  const body = { visitor, events: [{ event: random(), ...event }] };
  navigator.sendBeacon(`${api}/interactions/`, JSON.stringify(body));
}
