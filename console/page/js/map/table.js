/** The map in words and numbers: every node, a row; rows are made once and changed in node. */

import { h, setText } from "../dom.js";
import { age, count } from "../format.js";
import { STATES, UNKNOWN, noShape, setShape, table } from "../parts.js";

const COLUMNS = [
  "Node",
  "State",
  ["Waiting", "number"],
  ["In flight", "number"],
  ["Oldest", "number"],
  "In words",
];

/** @returns {{element: HTMLElement, show: (snapshot: any) => void}} */
export function createTable(model) {
  const { element, body, row } = table("All nodes", COLUMNS);
  const rows = model.nodes.map((node) => {
    const name = h(
      "th.row-name",
      { scope: "row" },
      h(`span.type.d${node.index}`, node.name),
      h("span.muted.small.block", `${node.kind}, ${node.domain}`),
    );
    const [mark, word] = [noShape(), h("span")];
    return { node, mark, word, row: row([name, [mark, " ", word], "", "", "", ""]) };
  });
  body.append(...rows.map((each) => each.row));
  return {
    element,
    show: ({ nodes }) => rows.forEach((each) => show(each, nodes[each.node.id] ?? UNKNOWN)),
  };
}

function show({ mark, word, row }, { state, waiting, inFlight, oldestSeconds, sentence }) {
  setShape(mark, state);
  setText(word, STATES[state].word);
  const texts = [count(waiting), count(inFlight), age(oldestSeconds) || "–", sentence];
  texts.forEach((text, i) => setText(row.cells[i + 2], text));
}
