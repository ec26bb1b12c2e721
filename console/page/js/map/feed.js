/** The latest events: the newest hundred, drawn a few times a second however many come. */

import { h } from "../dom.js";
import { clock, short } from "../format.js";
import { table } from "../parts.js";

const NEWEST = 100;
const DRAW_MS = 400;

/** @returns {{element: HTMLElement, add: (event: any) => void, end: () => void}} */
export function createFeed(model, before) {
  const body = h("tbody", {});
  const nothing = h(
    "tr",
    {},
    h("td", {
      colspan: 4,
      class: "empty",
      text: "No event has passed since this page was opened. Create a subscription under “Try it”.",
    }),
  );
  body.append(nothing);
  const colour = (type) =>
    model.domains.find((domain) => domain.name === model.routes[type]?.domain)?.index ?? 0;
  let waiting = [...before];
  const timer = setInterval(draw, DRAW_MS);

  draw();

  function draw() {
    if (!waiting.length || document.hidden) return;
    nothing.remove();
    body.prepend(...waiting.reverse().map(row));
    waiting = [];
    while (body.rows.length > NEWEST) body.lastElementChild.remove();
  }

  function row({ at, eventType, bus, subscriptionId, replay }) {
    return h(
      "tr",
      {},
      h("td", { class: "number", text: clock(at) }),
      h(
        "td",
        {},
        h("span", { class: `type d${colour(eventType)}`, text: eventType }),
        replay ? h("span", { class: "chip", text: "replayed" }) : null,
      ),
      h("td", { text: bus }),
      h(
        "td",
        {},
        subscriptionId
          ? h("a", {
              class: "mono",
              href: `#/follow/${encodeURIComponent(subscriptionId)}`,
              title: `Follow ${subscriptionId}`,
              text: short(subscriptionId),
            })
          : "–",
      ),
    );
  }

  const element = table(
    "Latest events",
    [["Time", "number"], "Event", "Seen on", "Subscription"],
    body,
    { captionHidden: true },
  );
  element.classList.add("feed");
  return {
    element,
    add: (event) => {
      waiting.push(event);
      if (waiting.length > NEWEST) waiting.shift();
    },
    end: () => clearInterval(timer),
  };
}
