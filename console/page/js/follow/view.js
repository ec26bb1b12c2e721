/** Follow one subscription: everything that happened to it, and what has yet to. */

import { announce } from "../announce.js";
import { fill, h } from "../dom.js";
import { clock } from "../format.js";
import { field, intro, problem, repeating, shape } from "../parts.js";
import { address } from "../router.js";
import { createBodies } from "./bodies.js";
import { recent } from "./recent.js";
import { stateChips, states } from "./states.js";
import { timeline } from "./timeline.js";

const POLL_MS = 1000;
const RETRY_MS = 2000;
const CALM_MS = 300; // events of one subscription come in bursts: one read for all of them

export const follow = { name: "follow", label: "Follow", mount };

function mount(root, context, id) {
  const input = h("input.mono", {
    name: "id",
    value: id ?? "",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "9d2882d4-8fb7-5125-982c-44cee0f6672e",
  });
  const errors = h("div");
  const submit = (event) => {
    event.preventDefault();
    const wanted = input.value.trim();
    if (wanted) location.hash = address("follow", wanted);
    else fill(errors, problem(NO_ID));
  };
  const container = h("div.stack");
  fill(
    root,
    intro(
      "Follow one subscription",
      "Everything that happened to it, hop by hop; its state in every service; and what is still expected.",
    ),
    h(
      "form.follow-form",
      { onsubmit: submit },
      field("Subscription id", input, { hint: "or the id of an event, or a correlation id" }),
      h("button.primary", "Follow"),
    ),
    errors,
    container,
  );
  return id ? story(container, context, id) : recent(container, context);
}

const NO_ID = {
  title: "No id",
  detail: "type or paste one, or choose one of the recent subscriptions below",
};

function story(container, { api, live, map }, id) {
  const sentence = h("p.verdict", "Looking…");
  const readAt = h("span.muted.small");
  const errors = h("div");
  const next = h("p.buttons", { hidden: true });
  const expected = h("section", { hidden: true });
  const [services, steps] = [h("div"), h("div")];
  const inLine = h("p.state-chips");
  const bodies = createBodies();
  fill(
    container,
    h("div.verdict-line", sentence, readAt),
    inLine,
    errors,
    next,
    expected,
    h(
      "div.columns.follow-columns",
      h("section", h("h2", "Timeline"), steps),
      h("section", h("h2", "Events"), bodies.element),
    ),
    h("section", h("h2", "State in each service"), services),
  );
  let drawn = "";
  let known = id;
  let settled = null;

  async function read() {
    const found = await api.get(`/api/subscriptions/${encodeURIComponent(id)}`);
    known = found.subscriptionId;
    readAt.textContent = `${known} · read at ${clock(found.readAt, { milliseconds: false })}`;
    const now = JSON.stringify({ ...found, readAt: null });
    if (now !== drawn) draw(found);
    drawn = now;
    return found.missing.length ? POLL_MS : null;
  }

  function draw(found) {
    const whole = !found.missing.length;
    fill(sentence, shape(whole ? "ok" : "busy"), ` ${capital(found.sentence)}`);
    if (settled === false && whole) announce(found.sentence);
    settled = whole;
    next.hidden = found.states.payment.body?.status !== "active";
    const cancel = address("try", found.subscriptionId);
    fill(next, h("a.button", { href: cancel }, "Cancel its payment"));
    fill(services, states(found.states));
    fill(inLine, stateChips(found.states));
    fill(steps, timeline(found.steps, map));
    bodies.show(found.events, map);
    expected.hidden = whole;
    fill(
      expected,
      h("h2", "Still expected"),
      h(
        "ul.expected",
        found.missing.map(({ what, probably }) =>
          h("li", shape("busy"), h("div", h("b", what), h("p.muted", probably))),
        ),
      ),
    );
  }

  const reading = repeating(
    () =>
      read().catch((error) => {
        if (!drawn)
          sentence.textContent = error.status === 404 ? "Not found (yet)" : "It could not be read";
        throw error;
      }),
    errors,
    RETRY_MS,
  );
  let soon = null;
  const end = live.on("event", ({ subscriptionId }) => {
    if (subscriptionId !== known || soon) return;
    soon = setTimeout(() => {
      soon = null;
      reading.now();
    }, CALM_MS);
  });
  return () => {
    reading.end();
    end();
    clearTimeout(soon);
  };
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
