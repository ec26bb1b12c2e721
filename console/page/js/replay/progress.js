/** How the replays go: pushed by the stream, and polled where the stream is silent. */

import { announce } from "../announce.js";
import { fill, h } from "../dom.js";
import { clock, count } from "../format.js";
import { doing, setChip, terms } from "../parts.js";

const POLL_MS = 2000;
const ENDED = { COMPLETED: "ok", CANCELLED: "stuck", FAILED: "stuck" };

/** @returns {{element: HTMLElement, show: (progress: any, mine?: boolean) => void, end: () => void}} */
export function createProgress(api, live) {
  const list = h("ul.replays");
  const nothing = h("p.muted", "This console has started none.");
  const element = h("section", h("h2", "Replays"), nothing, list);
  const known = new Map();

  function show(progress, mine = false) {
    const { name, state } = progress;
    nothing.hidden = true;
    if (!known.has(name)) {
      known.set(name, createCard(api, progress, show));
      list.prepend(known.get(name).element);
    }
    const card = known.get(name);
    if (card.state && card.state !== state && ENDED[state])
      announce(`Replay ${name}: ${state.toLowerCase()}`);
    card.show(progress);
    if (mine) card.element.scrollIntoView({ block: "nearest" });
  }

  const timer = setInterval(() => {
    for (const [name, card] of known) {
      if (ENDED[card.state] || performance.now() - card.heardAt < POLL_MS) continue;
      api.get(`/api/replays/${encodeURIComponent(name)}`).then(show, () => {}); // asked again in a moment
    }
  }, POLL_MS);
  const end = live.on("replay", show);
  return {
    element,
    show,
    end: () => {
      end();
      clearInterval(timer);
    },
  };
}

function createCard(api, { name, bus }, changed) {
  const state = h("span.chip");
  const reached = h("p.muted");
  const reason = h("p.problem");
  const came = h("dl.facts");
  const errors = h("div");
  const cancel = doing(
    "Cancel replay",
    async () => changed(await api.remove(`/api/replays/${encodeURIComponent(name)}`)),
    errors,
    { kind: ".danger.tiny", working: "Cancelling…" },
  );
  const element = h(
    "li.card",
    h("div.code-head", h("h3", name), h("span.buttons", state, cancel)),
    h("p", `of ${bus}`),
    reached,
    reason,
    came,
    errors,
  );
  const card = { element, state: null, heardAt: 0, show: draw };

  function draw(progress) {
    Object.assign(card, { state: progress.state, heardAt: performance.now() });
    const ended = ENDED[progress.state];
    setChip(state, ended ?? "busy", progress.state.toLowerCase());
    cancel.hidden = Boolean(ended);
    reached.textContent = ended ? "" : "Nothing has come yet.";
    if (progress.reached)
      reached.textContent = `It has reached ${clock(progress.reached, { milliseconds: false })}.`;
    reason.hidden = !progress.reason;
    reason.textContent = progress.reason;
    const numbers = Object.entries(progress.came).map(([type, number]) => [type, count(number)]);
    fill(came, terms(numbers));
  }
  return card;
}
