/** What went over the wire, as text: the request, the response, how long it took. */

import { h } from "../dom.js";
import { ms } from "../format.js";
import { textBlock, code } from "../json.js";
import { problem } from "../parts.js";

export function exchange({ request, response, error, subscriptionId }) {
  const ok = response && response.status < 400;
  return h(
    "div",
    { class: "stack exchange" },
    h(
      "div",
      {},
      h("div", { class: "code-head" }, h("h3", { text: "Request" })),
      code(`${request.method} ${request.url}\n${headers(request.headers)}`),
      request.body ? sent(request.body) : null,
    ),
    response
      ? h(
          "div",
          {},
          h(
            "div",
            { class: "code-head" },
            h("h3", { text: "Response" }),
            h("span", {
              class: ok ? "chip ok" : "chip stuck",
              text: `${ok ? "●" : "▲"} ${response.status} ${response.reason} · ${ms(response.milliseconds)}`,
            }),
          ),
          code(`${response.status} ${response.reason}\n${headers(response.headers)}`),
          response.body ? sent(response.body) : null,
        )
      : problem({ title: "No response", detail: error ?? "" }),
    ok && subscriptionId
      ? h(
          "p",
          {},
          h("a", {
            class: "button",
            href: `#/follow/${encodeURIComponent(subscriptionId)}`,
            text: "Follow it",
          }),
        )
      : null,
  );
}

/** A body as it was sent, byte for byte; and, folded, as a person reads it. */
function sent(body) {
  return h(
    "div",
    {},
    code(body),
    h("details", { class: "laid-out" }, h("summary", { text: "Laid out" }), textBlock(body)),
  );
}

const headers = (all) =>
  Object.entries(all)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
