/** The map: what the system is doing, now. */

import { fill, h, setText } from "../dom.js";
import { count, many, rate } from "../format.js";
import { STATES, intro, shape, terms } from "../parts.js";
import { createBoard } from "./board.js";
import { createDetail } from "./detail.js";
import { createFeed } from "./feed.js";
import { createTable } from "./table.js";

export const map = { name: "map", label: "Map", mount };

function mount(root, { live, map: model }, wanted) {
  const lede = h("span", "Waiting for the first look…");
  const sampling = h("p.note.small", { hidden: true });
  const totals = createTotals(model);
  const container = h("div.board", {
    role: "group",
    "aria-label": "Map of the system: each node is a button that shows more",
  });
  const panel = h("section", { "aria-label": "Details of a node", hidden: true });
  const table = createTable(model);
  const feed = createFeed(model, live.events);
  fill(
    root,
    intro("What the system is doing", lede, totals.element),
    sampling,
    legend(model),
    container,
    panel,
    h(
      "div.columns.map-beneath",
      h("section", h("h2", "Latest events"), feed.element),
      h("section", h("h2", "All nodes"), table.element),
    ),
  );
  const detail = createDetail(panel, model, live, (was) => board.focus(was.id));
  const board = createBoard(container, model, detail.open);
  const show = () => {
    const { snapshot } = live;
    if (document.hidden || !snapshot) return;
    setText(lede, summary(snapshot));
    const said = shortcomings(snapshot);
    setText(sampling, said);
    sampling.hidden = !said;
    for (const part of [totals, board, detail, table]) part.show(snapshot);
  };
  show();
  const ends = [
    live.on("snapshot", show),
    live.on("past", (events) => events.forEach(feed.add)),
    live.on("event", (event) => {
      board.event(event);
      feed.add(event);
    }),
  ];
  document.addEventListener("visibilitychange", show);
  if (model.byId.has(wanted)) {
    board.focus(wanted);
    detail.open(model.byId.get(wanted));
  }
  return () => {
    ends.forEach((end) => end());
    document.removeEventListener("visibilitychange", show);
    board.end();
    feed.end();
  };
}

const sumOf = (rates) => Object.values(rates).reduce((a, b) => a + b, 0);

function summary({ needsPerson, busRates, nodes }) {
  const speed = rate(sumOf(busRates))?.replace("/s", "");
  const flow = speed ? `${speed} events a second pass over the buses` : "No event is on its way";
  const away = Object.values(nodes).filter((node) => node.state === "away").length;
  const rest = needsPerson.length
    ? `${many(needsPerson.length, "node needs", "nodes need")} attention.`
    : away
      ? `${many(away, "process does", "processes do")} not run.`
      : "Nothing is stuck.";
  return `${flow}. ${rest}`;
}

/** What the map does not show, or not yet. */
function shortcomings({ sampling, consoleBehindSeconds: behind }) {
  const late = behind > 2 && `the console is ${Math.round(behind)} s behind the buses`;
  return [sampling.sentence, late].filter(Boolean).join("; ");
}

/** Four numbers that say it all from afar. */
function createTotals(model) {
  const names = ["events a second", "in outboxes", "in queues", "dead letters"];
  const element = h("dl.totals", terms(names.map((name) => [name, "–"])));
  const values = [...element.querySelectorAll("dd")];
  const show = ({ nodes, busRates }) => {
    const held = ["outbox", "queue", "dead-letter queue"].map((kind) =>
      model.nodes
        .filter((node) => node.kind === kind)
        .reduce((total, node) => total + (nodes[node.id]?.waiting ?? 0), 0),
    );
    const speed = rate(sumOf(busRates))?.replace("/s", "") ?? "0";
    [speed, ...held.map(count)].forEach((text, i) => setText(values[i], text));
    values[3].parentElement.classList.toggle("some", held[2] > 0);
  };
  return { element, show };
}

function legend(model) {
  const domains = model.domains.map(({ name, index }) =>
    h(`li.d${index}`, h("span.swatch", { "aria-hidden": "true" }), name),
  );
  const states = Object.entries(STATES).map(([state, { word }]) =>
    h("li", shape(state), ` ${word}`),
  );
  return h("ul.legend.small", { "aria-label": "Legend" }, domains, states);
}
