/** One dead letter: why it is there, first in plain words; everything it carries, when asked. */

import { fill, h } from "../dom.js";
import { ago, clock, many } from "../format.js";
import { textBlock } from "../json.js";
import { problem, terms } from "../parts.js";
import { address } from "../router.js";

/** @returns {{element: HTMLElement, box: HTMLInputElement, id: string}} */
export function createDeadLetter(api, queue, deadLetter) {
  const { messageId: id, eventType, eventId, aggregateId, sequence } = deadLetter;
  const label = `Select ${eventType ?? "message"} ${id}`;
  const box = h("input", { type: "checkbox", "aria-label": label });
  const aggregate = sequence ? `${aggregateId} (${sequence})` : aggregateId;
  const link = h("a", { href: address("follow", aggregateId) }, "Follow its subscription");
  const body = h(
    "div.dead-letter-body",
    h(
      "p.dead-letter-head",
      h("b.type", eventType ?? "not an event of this system"),
      h("span.muted.small", { title: clock(deadLetter.sentAt) }, past(deadLetter)),
    ),
    h("p.dead-letter-plain", deadLetter.plain),
    h("p.muted.small.mono", deadLetter.why),
    pairs({ message: id, event: eventId, aggregate }),
    aggregateId && h("p.small", link),
    inside(api, `/api/dead-letters/${encodeURIComponent(queue)}/${encodeURIComponent(id)}`),
  );
  return { element: h("li.dead-letter", box, body), box, id };
}

/** Since when it is there, after how many tries, and by whom. */
const past = ({ sentAt, tries, by, putBy }) =>
  [ago(sentAt), tries && many(tries, "try", "tries"), `by ${by ?? putBy}`]
    .filter(Boolean)
    .join(" · ");

/** Its attributes and its body, folded, and read when they are unfolded. */
function inside(api, path) {
  const container = h("div.stack");
  const details = h("details", h("summary", "Attributes and body"), container);
  let known = false;
  details.ontoggle = async () => {
    if (!details.open || known) return;
    known = true;
    fill(container, h("p.muted", "Reading…"));
    try {
      const { attributes, body } = await api.get(path);
      fill(
        container,
        h("h3.minor", "Attributes"),
        pairs(attributes),
        h("h3.minor", "Body"),
        textBlock(body),
      );
    } catch (error) {
      known = false;
      fill(container, problem(error));
    }
  };
  return details;
}

const pairs = (all) => h("dl.pairs", terms(Object.entries(all), "dd.mono"));
