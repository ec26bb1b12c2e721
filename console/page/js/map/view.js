/** The map: what the system is doing, now. */

import { fill, h, setText } from "../dom.js";
import { count, many, rate } from "../format.js";
import { STATES, intro, shape } from "../parts.js";
import { createBoard } from "./board.js";
import { createDetail } from "./detail.js";
import { createFeed } from "./feed.js";
import { createTable } from "./table.js";

export const map = { name: "map", label: "Map", mount };

function mount(root, { live, map: model }, wanted) {
  const lede = h("span", { text: "Waiting for the first look…" });
  const sampling = h("p", { class: "note small", hidden: true });
  const totals = createTotals();
  const container = h("div", {
    class: "board",
    role: "group",
    "aria-label": "Map of the system: each node is a button that shows more",
  });
  const panel = h("section", {
    class: "detail card",
    "aria-label": "Details of a node",
    hidden: true,
  });
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
      "div",
      { class: "columns map-beneath" },
      h("section", {}, h("h2", { text: "Latest events" }), feed.element),
      h("section", {}, h("h2", { text: "All nodes" }), table.element),
    ),
  );
  const detail = createDetail(panel, model, (was) => board.focus(was.id));
  const board = createBoard(container, model, (chosen) => detail.open(chosen, live.snapshot));
  const show = (snapshot) => {
    setText(lede, summary(snapshot));
    const said = [
      snapshot.sampling?.sentence,
      snapshot.consoleBehindSeconds > 2
        ? `the console is ${Math.round(snapshot.consoleBehindSeconds)} s behind the buses`
        : null,
    ]
      .filter(Boolean)
      .join("; ");
    setText(sampling, said);
    sampling.hidden = !said;
    totals.show(snapshot, model);
    board.show(snapshot);
    detail.show(snapshot);
    table.show(snapshot);
  };
  if (live.snapshot) show(live.snapshot);
  const ends = [
    live.on("snapshot", (snapshot) => {
      if (!document.hidden) show(snapshot);
    }),
    live.on("event", (event) => {
      board.event(event);
      feed.add(event);
    }),
  ];
  const shown = () => {
    if (!document.hidden && live.snapshot) show(live.snapshot);
  };
  document.addEventListener("visibilitychange", shown);
  if (wanted && model.byId.has(wanted)) {
    board.focus(wanted);
    detail.open(model.byId.get(wanted), live.snapshot);
  }
  return () => {
    ends.forEach((end) => end());
    document.removeEventListener("visibilitychange", shown);
    board.end();
    feed.end();
  };
}

function summary({ needsPerson = [], busRates = {}, nodes }) {
  const sum = Object.values(busRates).reduce((a, b) => a + b, 0);
  const away = Object.values(nodes).filter((node) => node.state === "away").length;
  const flow =
    sum >= 0.05
      ? `${rate(sum).replace("/s", "")} events a second pass over the buses`
      : "No event is on its way";
  const rest = needsPerson.length
    ? `${many(needsPerson.length, "node needs", "nodes need")} attention.`
    : away
      ? `${many(away, "process does", "processes do")} not run.`
      : "Nothing is stuck.";
  return `${flow}. ${rest}`;
}

/** Four numbers that say it all from afar. */
function createTotals() {
  const make = (name) => {
    const value = h("dd", { text: "–" });
    return { value, element: h("div", {}, h("dt", { text: name }), value) };
  };
  const [events, outboxes, queues, dead] = [
    "events a second",
    "in outboxes",
    "in queues",
    "dead letters",
  ].map(make);
  return {
    element: h(
      "dl",
      { class: "totals" },
      [events, outboxes, queues, dead].map(({ element }) => element),
    ),
    show: ({ nodes, busRates = {} }, model) => {
      const sum = (kind) =>
        model.nodes
          .filter((node) => node.kind === kind)
          .reduce((total, node) => total + (nodes[node.id]?.waiting ?? 0), 0);
      setText(
        events.value,
        (rate(Object.values(busRates).reduce((a, b) => a + b, 0)) ?? "0").replace("/s", ""),
      );
      setText(outboxes.value, count(sum("outbox")));
      setText(queues.value, count(sum("queue")));
      setText(dead.value, count(sum("dead-letter queue")));
      dead.element.classList.toggle("some", sum("dead-letter queue") > 0);
    },
  };
}

function legend(model) {
  return h(
    "ul",
    { class: "legend small", "aria-label": "Legend" },
    model.domains.map((domain) =>
      h(
        "li",
        { class: `d${domain.index}` },
        h("span", { class: "swatch", "aria-hidden": "true" }),
        domain.name,
      ),
    ),
    Object.entries(STATES).map(([state, { word }]) => h("li", {}, shape(state), ` ${word}`)),
  );
}
