/** The same subscription as each service knows it, side by side. Services come in the order of their domains. */

import { h } from "../dom.js";
import { jsonBlock } from "../json.js";
import { shape, terms } from "../parts.js";

export const states = (all) => h("div.states", Object.entries(all).map(card));

/** The three in a line. */
export const stateChips = (all) =>
  Object.entries(all).map(([service, state], i) =>
    h(`span.d${i}`, h("span.type", service), ` ${wordOf(state)}`),
  );

function wordOf({ status, body }) {
  if (status === 200) return body.status ?? "known";
  return status === 404 ? "does not know it yet" : "cannot be asked";
}

function card([service, state], i) {
  const { status, body, problem, url } = state;
  const away = status === 404 ? "404: its event has not been handled there." : problem;
  return h(
    `article.card.state.d${i}`,
    h("h3", h("span.type", service)),
    h(
      "p.state-word",
      shape(status === 200 ? "ok" : status === 404 ? "away" : "stuck"),
      ` ${wordOf(state)}`,
    ),
    status === 200 ? known(body) : h("p.muted.small", away),
    h("p.muted.small.mono.url", `GET ${url}`),
  );
}

/** What a service knows beside its status and the id, and all of it, folded. */
function known(body) {
  const { status, id, subscriptionId, ...rest } = body;
  const plain = Object.entries(rest).filter(([, value]) => typeof value !== "object");
  const text = plain.map(([name, value]) => [name, String(value)]);
  return [
    h("dl.pairs", terms(text)),
    h("details", h("summary", "As it was answered"), jsonBlock(body)),
  ];
}
