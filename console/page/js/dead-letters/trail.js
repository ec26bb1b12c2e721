/** What was done with dead letters, newest first. */

import { fill, h } from "../dom.js";
import { clock } from "../format.js";
import { idCell, problem, table } from "../parts.js";

const COLUMNS = ["When", "Action", "Queue", "Message", "Event", "Outcome", "Sent to"];

export function createTrail(api) {
  const { element: box, show } = table("Audit trail", COLUMNS);
  const file = h("p.muted.small");
  const errors = h("div");
  async function read() {
    try {
      const trail = await api.get("/api/dead-letters/trail?limit=50");
      file.textContent = `Every redrive and drop, by this page or by streamed dlq, is written to ${trail.file}`;
      show(trail.lines.map(row), "Nothing was redriven or dropped yet.");
      fill(errors);
    } catch (error) {
      fill(errors, problem(error));
    }
  }
  return { element: h("section.trail", h("h2", "Audit trail"), file, errors, box), read };
}

const row = ({ at, action, queue, messageId, eventType, outcome, destination }) => [
  clock(at, { milliseconds: false }),
  action,
  queue,
  idCell(messageId),
  eventType ?? "–",
  outcome,
  destination ?? "–",
];
