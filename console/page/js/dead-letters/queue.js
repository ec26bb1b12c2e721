/** One dead-letter queue: its dead letters, which of them are chosen, and what is done with those. */

import { fill, h, nextId } from "../dom.js";
import { many } from "../format.js";
import { doing } from "../parts.js";
import { createDeadLetter } from "./dead-letter.js";
import { createDecision } from "./decision.js";

/** @returns {{element: HTMLElement, show: (queue: any) => void, stays: () => boolean}} */
export function createQueue(api, { queue: name }, node, changed) {
  const rows = new Map();
  const list = h("ul", { class: "dead-letters" });
  const about = h("p", { class: "muted" });
  const errors = h("div", {});
  const heading = nextId("queue");
  const all = h("input", { type: "checkbox" });
  let holds = true;
  const decision = createDecision(api, name, changed);
  const chosen = () => [...rows.values()].filter((row) => row.box.checked).map((row) => row.id);
  const mark = () => {
    all.checked = rows.size > 0 && chosen().length === rows.size;
    all.indeterminate = !all.checked && chosen().length > 0;
  };
  all.addEventListener("change", () => {
    for (const row of rows.values()) row.box.checked = all.checked;
  });
  const preview = (action) => async () => {
    const ids = chosen();
    if (!ids.length)
      throw Object.assign(new Error(), {
        title: "Nothing is selected",
        detail: "select the dead letters that are meant, or all of them",
      });
    await decision.preview(action, ids.length === rows.size ? null : ids, [...rows.keys()]);
  };
  const element = h(
    "section",
    { class: `card queue d${node?.index ?? 0}`, "aria-labelledby": heading },
    h(
      "div",
      { class: "queue-head" },
      h("div", {}, h("h2", { id: heading, text: name }), about),
      h(
        "div",
        { class: "buttons" },
        h("label", { class: "check" }, all, "Select all"),
        doing("Preview redrive", preview("redrive"), { errors, working: "Looking…" }),
        doing("Preview drop", preview("drop"), {
          className: "danger",
          errors,
          working: "Looking…",
        }),
      ),
    ),
    errors,
    decision.element,
    list,
  );

  function show(queue) {
    holds = queue.visible + queue.inFlight + queue.deadLetters.length > 0;
    const more = queue.notShown ? `, ${queue.notShown} not shown` : "";
    const held = queue.inFlight ? `, ${queue.inFlight} in flight` : "";
    about.textContent = `${many(Math.max(queue.visible, queue.deadLetters.length), "dead letter")}${held}${more}, for ${queue.belongsTo}`;
    const ids = new Set(queue.deadLetters.map((deadLetter) => deadLetter.messageId));
    for (const [id, row] of rows)
      if (!ids.has(id)) {
        row.element.remove();
        rows.delete(id);
      }
    for (const deadLetter of queue.deadLetters) {
      if (rows.has(deadLetter.messageId)) continue;
      const row = createDeadLetter(api, name, deadLetter);
      row.box.addEventListener("change", mark);
      rows.set(deadLetter.messageId, row);
      list.append(row.element);
    }
    mark();
    if (!rows.size) fill(errors);
  }

  return { element, show, stays: () => holds || decision.speaks() };
}
