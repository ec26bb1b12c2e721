/** What went over the wire, as text: the request, the response, how long it took. */

import { h } from "../dom.js";
import { ms } from "../format.js";
import { textBlock, code } from "../json.js";
import { chip, problem } from "../parts.js";
import { address } from "../router.js";

export function exchange({ request, response, error, subscriptionId }) {
  return h(
    response ? "div.columns.halves.exchange" : "div.columns.exchange",
    message("Request", `${request.method} ${request.url}`, request),
    response ? answered(response) : problem({ title: "No response", detail: error ?? "" }),
    subscriptionId &&
      h("p", h("a.button", { href: address("follow", subscriptionId) }, "Follow it")),
  );
}

function answered(response) {
  const status = `${response.status} ${response.reason}`;
  const took = `${status} · ${ms(response.milliseconds)}`;
  return message("Response", status, response, chip(response.status < 400 ? "ok" : "stuck", took));
}

/** A body as it was sent, byte for byte; and, folded, as a person reads it. */
function message(title, first, { headers, body }, beside) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return h(
    "div",
    h("div.code-head", h("h3", title), beside),
    code([first, ...lines].join("\n")),
    body && h("div", code(body), h("details", h("summary", "Laid out"), textBlock(body))),
  );
}
