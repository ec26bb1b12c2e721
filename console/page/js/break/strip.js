/** Where everything is, while something is broken: outboxes, queues and dead letters, each with its number and a bar. */

import { h, setText } from "../dom.js";
import { age, count } from "../format.js";
import { UNKNOWN, noShape, setShape } from "../parts.js";

const KINDS = { outbox: "Outboxes", queue: "Queues", "dead-letter queue": "Dead-letter queues" };

/** @returns {{element: HTMLElement, end: () => void}} */
export function createStrip(live, map) {
  const rows = map.nodes.filter((node) => node.kind in KINDS).map(make);
  const of = (kind) => rows.filter(({ node }) => node.kind === kind).map(({ element }) => element);
  const element = h(
    "section.card.strip",
    { "aria-label": "Where everything waits" },
    h("h2", "Where everything waits"),
    h("p.muted", "What has not yet had its effect is in one of these, or on its way between two."),
    Object.entries(KINDS).map(([kind, title]) =>
      h("div", h("h3", title), h("ul.strip-rows", of(kind))),
    ),
  );
  const show = ({ nodes }) => {
    const most = Math.max(10, ...rows.map(({ node }) => nodes[node.id]?.waiting ?? 0));
    for (const row of rows) draw(row, nodes[row.node.id] ?? UNKNOWN, most);
  };
  if (live.snapshot) show(live.snapshot);
  return { element, end: live.on("snapshot", show) };
}

function make(node) {
  const mark = noShape();
  const number = h("span.strip-number");
  const since = h("span.muted.small");
  const bar = h("span.strip-bar");
  const name = h("span.strip-name", node.name);
  const element = h(`li.d${node.index}`, mark, name, since, number, bar);
  return { node, element, mark, number, since, bar };
}

function draw({ mark, number, since, bar }, { state, waiting, oldestSeconds }, most) {
  setShape(mark, state);
  setText(number, count(waiting));
  setText(since, waiting ? age(oldestSeconds) : "");
  bar.style.inlineSize = `${Math.min(100, ((waiting ?? 0) / most) * 100)}%`;
}
