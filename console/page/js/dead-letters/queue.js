/** One dead-letter queue: its dead letters, which of them are chosen, and what is done with those. */

import { Problem } from "../api.js";
import { fill, h, nextId } from "../dom.js";
import { many } from "../format.js";
import { doing } from "../parts.js";
import { createDeadLetter } from "./dead-letter.js";
import { createDecision } from "./decision.js";

/** Whether a queue holds any, as far as is known. */
export const holds = ({ visible, inFlight, deadLetters }) =>
  visible + inFlight + deadLetters.length > 0;

/** How many can be seen: a count of SQS comes late. */
export const seen = ({ visible, deadLetters }) => Math.max(visible, deadLetters.length);

/** @returns {{element: HTMLElement, show: (queue: any) => void, stays: () => boolean}} */
export function createQueue(api, { queue: name }, node, changed) {
  const rows = new Map();
  const list = h("ul");
  const about = h("p.muted");
  const errors = h("div");
  const heading = nextId("queue");
  const decision = createDecision(api, name, changed);
  const chosen = () => [...rows.values()].filter((row) => row.box.checked).map((row) => row.id);
  const all = h("input", {
    type: "checkbox",
    onchange: () => rows.forEach((row) => (row.box.checked = all.checked)),
  });
  const mark = () => {
    all.checked = rows.size > 0 && chosen().length === rows.size;
    all.indeterminate = !all.checked && chosen().length > 0;
  };
  const preview = (action, kind) =>
    doing(
      `Preview ${action}`,
      () => {
        const ids = chosen();
        if (ids.length) return decision.preview(action, ids.length === rows.size ? null : ids);
        throw new Problem(
          "Nothing is selected",
          "select the dead letters that are meant, or all of them",
        );
      },
      errors,
      { kind, working: "Looking…" },
    );
  const element = h(
    `section.card.queue.d${node?.index ?? 0}`,
    { "aria-labelledby": heading },
    h(
      "div.queue-head",
      h("div", h("h2", { id: heading }, name), about),
      h(
        "div.buttons",
        h("label.check", all, "Select all"),
        preview("redrive"),
        preview("drop", ".danger"),
      ),
    ),
    errors,
    decision.element,
    list,
  );
  let full = true;

  function show(queue) {
    full = holds(queue);
    const more = queue.notShown ? `, ${queue.notShown} not shown` : "";
    const held = queue.inFlight ? `, ${queue.inFlight} in flight` : "";
    about.textContent = `${many(seen(queue), "dead letter")}${held}${more}, for ${queue.belongsTo}`;
    const ids = new Set(queue.deadLetters.map((deadLetter) => deadLetter.messageId));
    for (const [id, row] of rows)
      if (!ids.has(id)) {
        row.element.remove();
        rows.delete(id);
      }
    for (const deadLetter of queue.deadLetters) {
      if (rows.has(deadLetter.messageId)) continue;
      const row = createDeadLetter(api, name, deadLetter);
      row.box.onchange = mark;
      rows.set(row.id, row);
      list.append(row.element);
    }
    mark();
    if (!rows.size) fill(errors);
  }

  return { element, show, stays: () => full || decision.speaks() };
}
