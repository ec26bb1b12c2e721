/** What the backend sends by itself: snapshots, events, replays, trouble. Reconnects for ever. */

const NAMES = ["snapshot", "past", "event", "replay", "trouble"];
const SILENCE_MS = 12_000; // a snapshot comes every second; a connection that is silent for this long is dead
const RETRY_MS = 2_000;
const KEPT = 100; // events: what a view that is opened later can still show

/**
 * Dispatches `snapshot`, `past` (the events before this page was opened), `event`, `replay`, `trouble` (CustomEvent, `detail` is the message) and `state`.
 * Keeps the newest snapshot and the newest events, and nothing else.
 */
export class Live extends EventTarget {
  /** @type {"connecting"|"live"|"reconnecting"} */
  state = "connecting";
  /** @type {any} */
  snapshot = null;
  /** @type {any[]} oldest first */
  events = [];
  #source = null;
  #heard = 0;

  start() {
    this.#open();
    setInterval(() => this.#watch(), RETRY_MS);
  }

  /** As addEventListener with the message itself; returns what ends it. */
  on(name, f) {
    const listener = (event) => f(event.detail);
    this.addEventListener(name, listener);
    return () => this.removeEventListener(name, listener);
  }

  #open() {
    this.#source?.close();
    this.#heard = performance.now();
    this.#source = new EventSource("/api/live");
    this.#source.onerror = () => this.#turn("reconnecting");
    for (const name of NAMES)
      this.#source.addEventListener(name, (message) => this.#take(name, message.data));
  }

  #take(name, data) {
    this.#heard = performance.now();
    const detail = JSON.parse(data);
    if (name === "snapshot") this.snapshot = detail;
    if (name === "past") {
      if (this.events.length) return; // reconnected: the page has events of its own
      this.events = detail;
    }
    if (name === "event" && this.events.push(detail) > KEPT) this.events.shift();
    this.#turn("live");
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** The browser reconnects after a break, but not after a refusal, and it takes silence for quiet. */
  #watch() {
    const silent = performance.now() - this.#heard > SILENCE_MS;
    if (silent) this.#turn("reconnecting");
    if (silent || this.#source.readyState === EventSource.CLOSED) this.#open();
  }

  #turn(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
