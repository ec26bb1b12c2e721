/** The map in words and numbers: every node, a row; rows are made once and changed in node. */

import { h, setAttribute, setText } from "../dom.js";
import { age, count } from "../format.js";
import { STATES, table } from "../parts.js";

/** @returns {{element: HTMLElement, show: (snapshot: any) => void}} */
export function createTable(model) {
  const rows = model.nodes.map((node) => {
    const [mark, word, waiting, flight, oldest, sentence] = [
      "span",
      "span",
      "td",
      "td",
      "td",
      "td",
    ].map((tag, i) => h(tag, { class: i > 1 && i < 5 ? "number" : null }));
    mark.setAttribute("aria-hidden", "true");
    const row = h(
      "tr",
      {},
      h(
        "th",
        { scope: "row", class: "row-name" },
        h("span", { class: `type d${node.index}`, text: node.name }),
        h("span", { class: "muted small block", text: `${node.kind}, ${node.domain}` }),
      ),
      h("td", {}, mark, " ", word),
      waiting,
      flight,
      oldest,
      sentence,
    );
    return { node, mark, word, waiting, flight, oldest, sentence, row };
  });
  const element = table(
    "All nodes",
    [
      "Node",
      "State",
      ["Waiting", "number"],
      ["In flight", "number"],
      ["Oldest", "number"],
      "In words",
    ],
    h(
      "tbody",
      {},
      rows.map(({ row }) => row),
    ),
    { captionHidden: true },
  );
  return {
    element,
    show: ({ nodes }) =>
      rows.forEach((row) => show(row, nodes[row.node.id] ?? { state: "unknown" })),
  };
}

function show({ mark, word, waiting, flight, oldest, sentence }, now) {
  setAttribute(mark, "class", `shape ${now.state}`);
  setText(mark, STATES[now.state]?.shape ?? "?");
  setText(word, STATES[now.state]?.word ?? now.state);
  setText(waiting, count(now.waiting));
  setText(flight, count(now.inFlight));
  setText(oldest, age(now.oldestSeconds) || "–");
  setText(sentence, now.sentence ?? "");
}
