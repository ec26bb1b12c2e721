/** Dead letters: what lies there and why, in plain words; what a person may do about it; and what was done. */

import { fill, h } from "../dom.js";
import { count, many } from "../format.js";
import { intro, problem, repeating } from "../parts.js";
import { createQueue } from "./queue.js";
import { createTrail } from "./trail.js";

const EVERY_MS = 5000;

export const deadLetters = { name: "dead-letters", label: "Dead letters", mount };

function mount(root, { api, map }, wanted) {
  const errors = h("div", {});
  const sentence = h("p", { class: "verdict", text: "Looking…" });
  const full = h("div", { class: "stack" });
  const empty = h("p", { class: "muted small" });
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

  const reading = repeating(async () => {
    try {
      draw((await api.get("/api/dead-letters")).queues);
      fill(errors);
    } catch (error) {
      fill(errors, problem(error));
    }
    return EVERY_MS;
  });
  const changed = () => {
    trail.read();
    return reading.now();
  };

  function draw(queues) {
    const node = (name) =>
      map.nodes.find((each) => each.kind === "dead-letter queue" && each.name === name);
    for (const queue of queues) {
      const holds = queue.visible + queue.inFlight + queue.deadLetters.length > 0;
      if (!cards.has(queue.queue) && holds)
        cards.set(queue.queue, createQueue(api, queue, node(queue.queue), changed));
      cards.get(queue.queue)?.show(queue);
    }
    const shown = queues.filter(
      (queue) => cards.has(queue.queue) && cards.get(queue.queue).stays(),
    );
    const elements = shown.map((queue) => cards.get(queue.queue).element);
    if (
      elements.some((element, i) => full.children[i] !== element) ||
      full.children.length !== elements.length
    )
      fill(full, elements);
    const sum = queues.reduce(
      (total, queue) => total + Math.max(queue.visible, queue.deadLetters.length),
      0,
    );
    const holding = queues.filter((queue) => queue.visible || queue.deadLetters.length).length;
    const words = sum
      ? `▲ ${many(sum, "dead letter")} in ${count(holding)} ${holding === 1 ? "queue" : "queues"}`
      : "● No dead letters: everything was delivered and handled";
    if (sentence.textContent !== words) sentence.textContent = words;
    sentence.className = sum ? "verdict some" : "verdict";
    const quiet = queues.filter((queue) => !shown.includes(queue)).map((queue) => queue.queue);
    empty.textContent = quiet.length ? `Empty: ${quiet.join(", ")}` : "";
    if (wanted && !brought && cards.has(wanted)) {
      brought = true;
      cards.get(wanted).element.scrollIntoView({ block: "start" });
    }
  }

  trail.read();
  return reading.end;
}
