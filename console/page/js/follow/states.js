/** The same subscription as each service knows it, side by side. */

import { h } from "../dom.js";
import { jsonBlock } from "../json.js";

const INDEX = { subscription: 0, stock: 1, payment: 2 };

export function states(all) {
  return h(
    "div",
    { class: "states" },
    Object.entries(all).map(([service, state], i) => card(service, state, INDEX[service] ?? i)),
  );
}

/** The three in a line. */
export function stateChips(all) {
  return Object.entries(all).map(([service, state], i) =>
    h(
      "span",
      { class: `state-chip d${(INDEX[service] ?? i) % 6}` },
      h("span", { class: "type", text: service }),
      ` ${wordOf(state)}`,
    ),
  );
}

function wordOf({ status, body }) {
  if (status === 200 && body) return String(body.status ?? "known");
  return status === 404 ? "does not know it yet" : "cannot be asked";
}

function card(service, state, index) {
  const { status, body, problem, url } = state;
  const known = status === 200 && body;
  return h(
    "article",
    { class: `card state d${index % 6}` },
    h("h3", {}, h("span", { class: "type", text: service })),
    h(
      "p",
      { class: "state-word" },
      h("span", {
        class: `shape ${known ? "ok" : status === 404 ? "away" : "stuck"}`,
        "aria-hidden": "true",
        text: known ? "●" : status === 404 ? "○" : "▲",
      }),
      ` ${wordOf(state)}`,
    ),
    known
      ? h(
          "dl",
          { class: "pairs" },
          Object.entries(body)
            .filter(
              ([name, value]) =>
                name !== "status" &&
                name !== "id" &&
                name !== "subscriptionId" &&
                value !== null &&
                typeof value !== "object",
            )
            .map(([name, value]) =>
              h("div", {}, h("dt", { text: name }), h("dd", { text: String(value) })),
            ),
        )
      : h("p", {
          class: "muted small",
          text: status === 404 ? "404: its event has not been handled there." : (problem ?? ""),
        }),
    known ? h("details", {}, h("summary", { text: "As it was answered" }), jsonBlock(body)) : null,
    h("p", { class: "muted small mono url", text: `GET ${url}` }),
  );
}
