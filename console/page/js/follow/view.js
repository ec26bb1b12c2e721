/** Follow one subscription: everything that happened to it, and what has yet to. */

import { announce } from "../announce.js";
import { fill, h } from "../dom.js";
import { clock } from "../format.js";
import { field, intro, problem, repeating } from "../parts.js";
import { createBodies } from "./bodies.js";
import { recent } from "./recent.js";
import { stateChips, states } from "./states.js";
import { timeline } from "./timeline.js";

const POLL_MS = 1000;
const CALM_MS = 300; // events of one subscription come in bursts: one read for all of them

export const follow = { name: "follow", label: "Follow", mount };

function mount(root, context, id) {
  const input = h("input", {
    class: "mono",
    name: "id",
    value: id ?? "",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "9d2882d4-8fb7-5125-982c-44cee0f6672e",
  });
  const errors = h("div", {});
  const form = h(
    "form",
    {
      class: "follow-form",
      on: {
        submit: (event) => {
          event.preventDefault();
          go(input.value.trim(), errors);
        },
      },
    },
    field("Subscription id", input, { hint: "or the id of an event, or a correlation id" }),
    h("button", { class: "primary", text: "Follow" }),
  );
  const container = h("div", { class: "stack" });
  fill(
    root,
    intro(
      "Follow one subscription",
      "Everything that happened to it, hop by hop; its state in every service; and what is still expected.",
    ),
    form,
    errors,
    container,
  );
  return id ? story(container, context, id) : recent(container, context);
}

function go(id, errors) {
  if (!id) {
    fill(
      errors,
      problem({
        title: "No id",
        detail: "type or paste one, or choose one of the recent subscriptions below",
      }),
    );
    return;
  }
  location.hash = `#/follow/${encodeURIComponent(id)}`;
}

function story(container, context, id) {
  const sentence = h("p", { class: "verdict", text: "Looking…" });
  const readAt = h("span", { class: "muted small" });
  const errors = h("div", {});
  const next = h("p", { class: "buttons", hidden: true });
  const expected = h("section", { hidden: true });
  const [services, steps] = [h("div", {}), h("div", {})];
  const inLine = h("p", { class: "state-chips" });
  const bodies = createBodies();
  fill(
    container,
    h("div", { class: "verdict-line" }, sentence, readAt),
    inLine,
    errors,
    next,
    expected,
    h(
      "div",
      { class: "follow-columns" },
      h("section", {}, h("h2", { text: "Timeline" }), steps),
      h("section", {}, h("h2", { text: "Events" }), bodies.element),
    ),
    h("section", {}, h("h2", { text: "State in each service" }), services),
  );
  let drawn = "";
  let known = id;
  let settled = null;

  const reading = repeating(async () => {
    try {
      const found = await context.api.get(`/api/subscriptions/${encodeURIComponent(id)}`);
      fill(errors);
      known = found.subscriptionId;
      readAt.textContent = `${found.subscriptionId} · read at ${clock(found.readAt, { milliseconds: false })}`;
      const now = JSON.stringify([found.steps, found.states, found.missing, found.events]);
      if (now !== drawn) {
        drawn = now;
        draw(found);
      }
      return found.missing.length ? POLL_MS : null;
    } catch (error) {
      fill(errors, problem(error));
      if (!drawn)
        sentence.textContent = error.status === 404 ? "Not found (yet)" : "It could not be read";
      return drawn ? POLL_MS * 3 : POLL_MS * 2;
    }
  });

  function draw(found) {
    const whole = !found.missing.length;
    fill(
      sentence,
      h("span", {
        class: `shape ${whole ? "ok" : "busy"}`,
        "aria-hidden": "true",
        text: whole ? "●" : "◆",
      }),
      ` ${capital(found.sentence)}`,
    );
    if (settled === false && whole) announce(found.sentence);
    settled = whole;
    next.hidden = found.states.payment?.body?.status !== "active";
    fill(
      next,
      h("a", {
        class: "button",
        href: `#/try/${encodeURIComponent(found.subscriptionId)}`,
        text: "Cancel its payment",
      }),
    );
    fill(services, states(found.states));
    fill(inLine, ...stateChips(found.states));
    fill(steps, timeline(found.steps, context.map));
    bodies.show(found.events, context.map);
    expected.hidden = whole;
    fill(
      expected,
      h("h2", { text: "Still expected" }),
      h(
        "ul",
        { class: "expected" },
        found.missing.map(({ what, eventType, probably }) =>
          h(
            "li",
            {},
            h("span", { class: "shape busy", "aria-hidden": "true", text: "◆" }),
            h(
              "div",
              {},
              h("b", { text: what ?? eventType }),
              probably ? h("p", { class: "muted", text: probably }) : null,
            ),
          ),
        ),
      ),
    );
  }

  let soon = null;
  const end = context.live.on("event", ({ subscriptionId }) => {
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
