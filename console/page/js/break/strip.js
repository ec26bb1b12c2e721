/** Where everything is, while something is broken: outboxes, queues and dead letters, each with its number and a bar. */

import { h, setAttribute, setText } from "../dom.js";
import { age, count } from "../format.js";

const KINDS = [
  ["outbox", "Outboxes"],
  ["queue", "Queues"],
  ["dead-letter queue", "Dead-letter queues"],
];

/** @returns {{element: HTMLElement, end: () => void}} */
export function createStrip(live, map) {
  const rows = [];
  const groups = KINDS.map(([kind, title]) => {
    const mine = map.nodes.filter((node) => node.kind === kind).map(make);
    rows.push(...mine);
    return h(
      "div",
      {},
      h("h3", { text: title }),
      h(
        "ul",
        { class: "strip-rows" },
        mine.map(({ element }) => element),
      ),
    );
  });
  const element = h(
    "section",
    { class: "card strip", "aria-label": "Where everything waits" },
    h("h2", { text: "Where everything waits" }),
    h("p", {
      class: "muted",
      text: "What has not yet had its effect is in one of these, or on its way between two.",
    }),
    groups,
  );
  const show = ({ nodes }) => {
    const most = Math.max(10, ...rows.map(({ node }) => nodes[node.id]?.waiting ?? 0));
    for (const row of rows) draw(row, nodes[row.node.id] ?? { state: "unknown" }, most);
  };
  if (live.snapshot) show(live.snapshot);
  return { element, end: live.on("snapshot", show) };
}

function make(node) {
  const [mark, number, since, bar] = [
    "shape",
    "strip-number",
    "muted small strip-since",
    "strip-bar",
  ].map((name) => h("span", { class: name }));
  mark.setAttribute("aria-hidden", "true");
  const element = h(
    "li",
    { class: `d${node.index}` },
    mark,
    h("span", { class: "strip-name", text: node.name }),
    since,
    number,
    bar,
  );
  return { node, element, mark, number, since, bar };
}

function draw({ mark, number, since, bar }, { state, waiting, oldestSeconds }, most) {
  setAttribute(mark, "class", `shape ${state}`);
  setText(mark, { ok: "●", busy: "◆", stuck: "▲", away: "○" }[state] ?? "?");
  setText(number, count(waiting));
  setText(since, waiting ? age(oldestSeconds) : "");
  bar.style.inlineSize = `${Math.min(100, ((waiting ?? 0) / most) * 100)}%`;
}
