/** One dead letter: why it is there, first in plain words; everything it carries, when asked. */

import { fill, h } from "../dom.js";
import { ago, clock, many } from "../format.js";
import { textBlock } from "../json.js";
import { problem } from "../parts.js";

/** @returns {{element: HTMLElement, box: HTMLInputElement, id: string}} */
export function createLetter(api, queue, letter) {
  const box = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "checkbox",
      "aria-label": `Select ${letter.eventType ?? "message"} ${letter.messageId}`,
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
        `/api/dead-letters/${encodeURIComponent(queue)}/${encodeURIComponent(letter.messageId)}`,
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
    { class: "letter" },
    box,
    h(
      "div",
      { class: "letter-body" },
      h(
        "p",
        { class: "letter-head" },
        h("b", { class: "type", text: letter.eventType ?? "not an event of ours" }),
        h("span", {
          class: "muted small",
          title: clock(letter.sentAt),
          text: [
            ago(letter.sentAt),
            letter.tries ? many(letter.tries, "try", "tries") : null,
            `by ${letter.by ?? letter.putBy}`,
          ]
            .filter(Boolean)
            .join(" · "),
        }),
      ),
      h("p", { class: "letter-plain", text: letter.plain }),
      h("p", { class: "muted small mono", text: letter.why }),
      pairs({
        message: letter.messageId,
        event: letter.eventId,
        aggregate:
          letter.aggregateId &&
          (letter.sequence ? `${letter.aggregateId} (${letter.sequence})` : letter.aggregateId),
      }),
      letter.aggregateId
        ? h(
            "p",
            { class: "small" },
            h("a", {
              href: `#/follow/${encodeURIComponent(letter.aggregateId)}`,
              text: "Follow its subscription",
            }),
          )
        : null,
      details,
    ),
  );
  return { element, box, id: letter.messageId };
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
