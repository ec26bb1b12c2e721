/** How the replays go: pushed by the stream, and polled where the stream is silent. */

import { announce } from "../announce.js";
import { fill, h } from "../dom.js";
import { clock, count } from "../format.js";
import { doing } from "../parts.js";

const POLL_MS = 2000;
const ENDED = new Set(["COMPLETED", "CANCELLED", "FAILED"]);

/** @returns {{element: HTMLElement, show: (progress: any, mine?: boolean) => void, end: () => void}} */
export function createProgress(api, live) {
  const list = h("ul", { class: "replays" });
  const nothing = h("p", { class: "muted", text: "This console has started none." });
  const element = h("section", {}, h("h2", { text: "Replays" }), nothing, list);
  const known = new Map();

  function show(progress, first = false) {
    nothing.hidden = true;
    let card = known.get(progress.name);
    if (!card) {
      card = createCard(api, progress, show);
      known.set(progress.name, card);
      list.prepend(card.element);
    }
    const was = card.state;
    card.show(progress);
    if (was && was !== progress.state && ENDED.has(progress.state))
      announce(`Replay ${progress.name}: ${progress.state.toLowerCase()}`);
    if (first) card.element.scrollIntoView({ block: "nearest" });
  }

  const timer = setInterval(() => {
    for (const [name, card] of known) {
      if (ENDED.has(card.state) || performance.now() - card.heardAt < POLL_MS) continue;
      api.get(`/api/replays/${encodeURIComponent(name)}`).then(show, () => {}); // asked again in a moment
    }
  }, POLL_MS);
  const end = live.on("replay", (progress) => show(progress));
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
  const state = h("span", { class: "chip" });
  const reached = h("p", { class: "muted" });
  const reason = h("p", { class: "problem", hidden: true });
  const came = h("dl", { class: "facts" });
  const errors = h("div", {});
  const cancel = doing(
    "Cancel replay",
    async () => changed(await api.remove(`/api/replays/${encodeURIComponent(name)}`)),
    { className: "danger tiny", errors, working: "Cancelling…" },
  );
  const element = h(
    "li",
    { class: "card" },
    h(
      "div",
      { class: "code-head" },
      h("h3", { text: name }),
      h("span", { class: "buttons" }, state, cancel),
    ),
    h("p", { text: `of ${bus}` }),
    reached,
    reason,
    came,
    errors,
  );
  const card = { element, state: null, heardAt: 0, show: draw };

  function draw(progress) {
    card.state = progress.state;
    card.heardAt = performance.now();
    const ended = ENDED.has(progress.state);
    const good = progress.state === "COMPLETED";
    state.className = `chip ${good ? "ok" : ended ? "stuck" : "busy"}`;
    state.textContent = `${good ? "●" : ended ? "▲" : "◆"} ${progress.state.toLowerCase()}`;
    cancel.hidden = ended;
    reached.textContent = progress.reached
      ? `It has reached ${clock(progress.reached, { milliseconds: false })}.`
      : ended
        ? ""
        : "Nothing has come yet.";
    reason.hidden = !progress.reason;
    reason.textContent = progress.reason ?? "";
    fill(
      came,
      Object.entries(progress.came ?? {}).map(([type, number]) =>
        h("div", {}, h("dt", { text: type }), h("dd", { text: count(number) })),
      ),
    );
  }
  return card;
}
