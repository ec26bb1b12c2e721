/** The events themselves, folded; what is open stays open when more come. */

import { h } from "../dom.js";
import { clock } from "../format.js";
import { jsonBlock } from "../json.js";

/** @returns {{element: HTMLElement, show: (events: any[], map: any) => void}} */
export function createBodies() {
  const element = h("div", { class: "bodies" });
  const drawn = new Map();
  return {
    element,
    show(events, map) {
      for (const event of events) {
        const now = JSON.stringify(event);
        const before = drawn.get(event.eventId);
        if (before?.now === now) continue;
        const made = body(event, map, before?.element.open ?? false);
        if (before) before.element.replaceWith(made);
        else element.append(made);
        drawn.set(event.eventId, { now, element: made });
      }
    },
  };
}

function body(event, map, open) {
  const domain = map.domains.find((each) => each.name === map.routes[event.eventType]?.domain);
  const facts = [
    ["event", event.eventId],
    ["caused by", event.causationId],
    ["correlation", event.correlationId],
    ["trace", event.traceparent],
    ["seen on", event.seenOn?.join(", ")],
  ];
  const inside = h("div", { class: "body-inside" });
  const details = h(
    "details",
    { class: `card body d${domain?.index ?? 0}`, open },
    h(
      "summary",
      {},
      h("span", { class: "type", text: event.eventType }),
      h("span", { class: "muted small", text: clock(event.occurredAt) }),
    ),
    inside,
  );
  const fillIn = () => {
    if (!details.open || inside.childNodes.length) return;
    inside.append(
      h(
        "dl",
        { class: "pairs" },
        facts
          .filter(([, value]) => value)
          .map(([name, value]) =>
            h("div", {}, h("dt", { text: name }), h("dd", { class: "mono", text: value })),
          ),
      ),
      jsonBlock(event.body),
    );
  };
  details.addEventListener("toggle", fillIn);
  fillIn();
  return details;
}
