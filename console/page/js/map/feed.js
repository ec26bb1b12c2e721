/** The latest events: the newest hundred, drawn a few times a second however many come. */

import { h } from "../dom.js";
import { clock, short } from "../format.js";
import { table } from "../parts.js";
import { address } from "../router.js";

const NEWEST = 100;
const DRAW_MS = 400;
const COLUMNS = [["Time", "number"], "Event", "Seen on", "Subscription"];

/** @returns {{element: HTMLElement, add: (event: any) => void, end: () => void}} */
export function createFeed(model, before) {
  const { element, body, row, show } = table("Latest events", COLUMNS);
  element.classList.add("feed");
  show(
    [],
    "No event has passed since the console began to watch. Create a subscription under “Try it”.",
  );
  const nothing = body.firstChild;
  let waiting = [...before];

  function draw() {
    if (!waiting.length || document.hidden) return;
    nothing.remove();
    body.prepend(...waiting.reverse().map((event) => row(cells(event, model))));
    waiting = [];
    while (body.rows.length > NEWEST) body.lastElementChild.remove();
  }

  const timer = setInterval(draw, DRAW_MS);
  draw();
  return {
    element,
    add: (event) => {
      waiting = [...waiting, event].slice(-NEWEST);
    },
    end: () => clearInterval(timer),
  };
}

const cells = ({ at, eventType, bus, subscriptionId: id, replay }, model) => [
  clock(at),
  [
    h(`span.type.d${model.indexOfType(eventType)}`, eventType),
    replay && h("span.chip", "replayed"),
  ],
  bus,
  id ? h("a.mono", { href: address("follow", id), title: `Follow ${id}` }, short(id)) : "–",
];
