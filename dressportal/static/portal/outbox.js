// Answers on their way: kept in this browser until the server has dealt with them, sent one at a time, in order.

const PAUSES_S = [1, 2, 4, 8, 15, 30];

export class Outbox {
  #name;
  #deliver;
  #changed;
  #memory = []; // where the browser keeps nothing
  #sending = false;
  #failures = 0;
  #timer;

  // ``deliver(entry, again)`` resolves to false when there was no answer: it is sent again later, then with
  // ``again``. The server takes the same answer twice as one.
  constructor(name, deliver, changed) {
    this.#name = name;
    this.#deliver = deliver;
    this.#changed = changed;
    this.#edit((entries) => entries.filter((entry) => entry.lease)); // an undo of an earlier visit is too late
    addEventListener("online", () => this.send());
    document.addEventListener("visibilitychange", () => document.hidden || this.send());
  }

  get entries() {
    try {
      return JSON.parse(localStorage.getItem(this.#name)) ?? [];
    } catch {
      return this.#memory;
    }
  }

  get isStuck() {
    return this.#failures > 0 && this.entries.length > 0;
  }

  add(entry) {
    if (this.entries.some((other) => other.lease === entry.lease)) return;
    this.#edit((entries) => [...entries, entry]);
    if (!this.#failures || navigator.onLine) this.send();
  }

  // Forget the answer to this card, if the server cannot have seen it; false: it may have.
  takeBack(lease) {
    const entry = this.entries.find((other) => other.lease === lease);
    if (!entry || entry.tried) return false;
    this.#edit((entries) => entries.filter((other) => other.lease !== lease));
    return true;
  }

  async send() {
    if (this.#sending) return;
    clearTimeout(this.#timer);
    this.#sending = true;
    const delivered = await inOneWindow(this.#name, () => this.#sendAll());
    this.#sending = false;
    this.#failures = delivered ? 0 : this.#failures + 1;
    if (!delivered) {
      const pause = PAUSES_S[Math.min(this.#failures, PAUSES_S.length) - 1];
      this.#timer = setTimeout(() => this.send(), 1000 * pause);
    } else if (this.entries.length) {
      this.send();
    }
    this.#changed(this);
  }

  async #sendAll() {
    for (let entry; (entry = this.entries[0]); ) {
      const is = (other) => other.lease === entry.lease;
      this.#edit((entries) => entries.map((other) => (is(other) ? { ...other, tried: true } : other)));
      if (!(await this.#deliver(entry, Boolean(entry.tried)))) return false;
      this.#edit((entries) => entries.filter((other) => !is(other)));
      this.#failures = 0;
    }
    return true;
  }

  #edit(edit) {
    this.#memory = edit(this.entries);
    try {
      localStorage.setItem(this.#name, JSON.stringify(this.#memory));
    } catch {} // private browsing: it holds as long as the page does
    this.#changed(this);
  }
}

// Two windows of the same person share what waits, and must not both send it.
function inOneWindow(name, job) {
  return navigator.locks ? navigator.locks.request(name, job) : job();
}
