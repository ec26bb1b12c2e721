/** The events themselves, folded; what is open stays open when more come. */

import { h } from "../dom.js";
import { clock } from "../format.js";
import { jsonBlock } from "../json.js";
import { terms } from "../parts.js";

/** @returns {{element: HTMLElement, show: (events: any[], map: any) => void}} */
export function createBodies() {
  const element = h("div.bodies");
  const drawn = new Map();
  return {
    element,
    show(events, map) {
      for (const event of events) {
        const now = JSON.stringify(event);
        const before = drawn.get(event.eventId);
        if (before?.now === now) continue;
        const made = body(event, map, before?.made.open);
        if (before) before.made.replaceWith(made);
        else element.append(made);
        drawn.set(event.eventId, { now, made });
      }
    },
  };
}

function body(event, map, open) {
  const facts = [
    ["event", event.eventId],
    ["caused by", event.causationId],
    ["correlation", event.correlationId],
    ["trace", event.traceparent],
    ["seen on", event.seenOn.join(", ")],
  ];
  return h(
    `details.card.body.d${map.indexOfType(event.eventType)}`,
    { open },
    h("summary", h("span.type", event.eventType), h("span.muted.small", clock(event.occurredAt))),
    h("div.body-inside", h("dl.pairs", terms(facts, "dd.mono")), jsonBlock(event.body)),
  );
}
