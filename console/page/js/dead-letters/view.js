/** Dead letters: what lies there and why, in plain words; what a person may do about it; and what was done. */

import { fill, h, setText } from "../dom.js";
import { many } from "../format.js";
import { intro, repeating } from "../parts.js";
import { createQueue, holds, seen } from "./queue.js";
import { createTrail } from "./trail.js";

const EVERY_MS = 5000;

export const deadLetters = { name: "dead-letters", label: "Dead letters", mount };

function mount(root, { api, map }, wanted) {
  const errors = h("div");
  const sentence = h("p.verdict", "Looking…");
  const full = h("div.stack");
  const empty = h("p.muted.small");
  const trail = createTrail(api);
  const cards = new Map();
  fill(
    root,
    intro(
      "Dead letters",
      "What could not be delivered or handled waits here until a person decides. Nothing is sent or dropped without a preview.",
    ),
    errors,
    sentence,
    full,
    empty,
    trail.element,
  );
  let brought = false;

  const read = async () => {
    draw((await api.get("/api/dead-letters")).queues);
    return EVERY_MS;
  };
  const reading = repeating(read, errors, EVERY_MS);
  const changed = () => {
    trail.read();
    return reading.now();
  };

  function draw(queues) {
    for (const queue of queues) {
      const { queue: name, node } = queue;
      if (!cards.has(name) && holds(queue))
        cards.set(name, createQueue(api, queue, map.byId.get(node), changed));
      cards.get(name)?.show(queue);
    }
    const stays = ({ queue }) => cards.get(queue)?.stays();
    const elements = queues.filter(stays).map(({ queue }) => cards.get(queue).element);
    const known = [...full.children];
    if (elements.length !== known.length || elements.some((element, i) => element !== known[i]))
      fill(full, elements);
    const sum = queues.map(seen).reduce((a, b) => a + b, 0);
    const words = `▲ ${many(sum, "dead letter")} in ${many(queues.filter(seen).length, "queue")}`;
    setText(sentence, sum ? words : "● No dead letters: everything was delivered and handled");
    sentence.classList.toggle("some", sum > 0);
    const quiet = queues.filter((queue) => !stays(queue)).map(({ queue }) => queue);
    empty.textContent = quiet.length ? `Empty: ${quiet.join(", ")}` : "";
    if (!cards.has(wanted) || brought) return;
    brought = true;
    cards.get(wanted).element.scrollIntoView({ block: "start" });
  }

  trail.read();
  return reading.end;
}
