/** The subscriptions that passed lately, to choose one from. */

import { fill, h } from "../dom.js";
import { ago } from "../format.js";
import { problem, repeating, table } from "../parts.js";

const EVERY_MS = 3000;

export function recent(container, { api }) {
  const body = h("tbody", {});
  const errors = h("div", {});
  fill(
    container,
    errors,
    h(
      "section",
      {},
      h("h2", { text: "Recent subscriptions" }),
      table(
        "Recent subscriptions",
        ["Subscription", "Last event", "Seen", ["Events", "number"], "Journey"],
        body,
        { captionHidden: true },
      ),
    ),
  );
  let drawn = "";
  const reading = repeating(async () => {
    try {
      const { subscriptions } = await api.get("/api/subscriptions?limit=20");
      fill(errors);
      const ids = JSON.stringify(subscriptions);
      if (ids !== drawn && !body.contains(document.activeElement)) {
        drawn = ids;
        fill(
          body,
          subscriptions.length
            ? subscriptions.map(row)
            : h(
                "tr",
                {},
                h(
                  "td",
                  { colspan: 5, class: "empty" },
                  "None has passed yet. ",
                  h("a", { href: "#/try", text: "Create one" }),
                  ".",
                ),
              ),
        );
      }
    } catch (error) {
      fill(errors, problem(error));
    }
    return EVERY_MS;
  });
  return reading.end;
}

function row({ subscriptionId, lastEvent, at, events, complete }) {
  return h(
    "tr",
    {},
    h(
      "td",
      {},
      h("a", {
        class: "mono",
        href: `#/follow/${encodeURIComponent(subscriptionId)}`,
        text: subscriptionId,
      }),
    ),
    h("td", { text: lastEvent }),
    h("td", { text: ago(at) }),
    h("td", { class: "number", text: String(events) }),
    h(
      "td",
      {},
      h("span", {
        class: complete ? "chip ok" : "chip busy",
        text: complete ? "● complete" : "◆ on its way",
      }),
    ),
  );
}
