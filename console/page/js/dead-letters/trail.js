/** What was done with dead letters, newest first. */

import { fill, h } from "../dom.js";
import { clock, short } from "../format.js";
import { problem, table } from "../parts.js";

export function createTrail(api) {
  const body = h("tbody", {});
  const file = h("p", { class: "muted small" });
  const errors = h("div", {});
  const element = h(
    "section",
    { class: "trail" },
    h("h2", { text: "Audit trail" }),
    file,
    errors,
    table(
      "Audit trail",
      ["When", "Action", "Queue", "Message", "Event", "Outcome", "Sent to"],
      body,
      { captionHidden: true },
    ),
  );
  async function read() {
    try {
      const trail = await api.get("/api/dead-letters/trail?limit=50");
      fill(errors);
      file.textContent = trail.file
        ? `Every redrive and drop, by this page or by streamed dlq, is written to ${trail.file}`
        : "";
      fill(
        body,
        trail.lines.length
          ? trail.lines.map(row)
          : h(
              "tr",
              {},
              h("td", { colspan: 7, class: "empty", text: "Nothing was redriven or dropped yet." }),
            ),
      );
    } catch (error) {
      fill(errors, problem(error));
    }
  }
  return { element, read };
}

function row({ at, action, queue, messageId, eventType, outcome, destination }) {
  return h(
    "tr",
    {},
    h("td", { text: clock(at, { milliseconds: false }) }),
    h("td", { text: action }),
    h("td", { text: queue }),
    h("td", { class: "mono", title: messageId, text: short(messageId) }),
    h("td", { text: eventType ?? "–" }),
    h("td", { text: outcome }),
    h("td", { text: destination ?? "–" }),
  );
}
