/** One dead letter: why it is there, first in plain words; everything it carries, when asked. */

import { fill, h } from "../dom.js";
import { ago, clock, many } from "../format.js";
import { textBlock } from "../json.js";
import { problem } from "../parts.js";

/** @returns {{element: HTMLElement, box: HTMLInputElement, id: string}} */
export function createDeadLetter(api, queue, deadLetter) {
  const box = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "checkbox",
      "aria-label": `Select ${deadLetter.eventType ?? "message"} ${deadLetter.messageId}`,
    })
  );
  const inside = h("div", { class: "stack" });
  const details = h("details", {}, h("summary", { text: "Attributes and body" }), inside);
  details.addEventListener("toggle", async () => {
    if (!details.open || inside.dataset.read) return;
    inside.dataset.read = "yes";
    fill(inside, h("p", { class: "muted", text: "Reading…" }));
    try {
      const whole = await api.get(
        `/api/dead-letters/${encodeURIComponent(queue)}/${encodeURIComponent(deadLetter.messageId)}`,
      );
      fill(
        inside,
        h("h3", { class: "minor", text: "Attributes" }),
        pairs(whole.attributes ?? {}),
        h("h3", { class: "minor", text: "Body" }),
        textBlock(whole.body ?? ""),
      );
    } catch (error) {
      delete inside.dataset.read;
      fill(inside, problem(error));
    }
  });
  const element = h(
    "li",
    { class: "dead-letter" },
    box,
    h(
      "div",
      { class: "dead-letter-body" },
      h(
        "p",
        { class: "dead-letter-head" },
        h("b", { class: "type", text: deadLetter.eventType ?? "not an event of this system" }),
        h("span", {
          class: "muted small",
          title: clock(deadLetter.sentAt),
          text: [
            ago(deadLetter.sentAt),
            deadLetter.tries ? many(deadLetter.tries, "try", "tries") : null,
            `by ${deadLetter.by ?? deadLetter.putBy}`,
          ]
            .filter(Boolean)
            .join(" · "),
        }),
      ),
      h("p", { class: "dead-letter-plain", text: deadLetter.plain }),
      h("p", { class: "muted small mono", text: deadLetter.why }),
      pairs({
        message: deadLetter.messageId,
        event: deadLetter.eventId,
        aggregate:
          deadLetter.aggregateId &&
          (deadLetter.sequence
            ? `${deadLetter.aggregateId} (${deadLetter.sequence})`
            : deadLetter.aggregateId),
      }),
      deadLetter.aggregateId
        ? h(
            "p",
            { class: "small" },
            h("a", {
              href: `#/follow/${encodeURIComponent(deadLetter.aggregateId)}`,
              text: "Follow its subscription",
            }),
          )
        : null,
      details,
    ),
  );
  return { element, box, id: deadLetter.messageId };
}

function pairs(all) {
  return h(
    "dl",
    { class: "pairs" },
    Object.entries(all)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) =>
        h(
          "div",
          {},
          h("dt", { text: name }),
          h("dd", {
            class: "mono",
            text: typeof value === "string" ? value : JSON.stringify(value),
          }),
        ),
      ),
  );
}
