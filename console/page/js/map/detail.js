/** Everything about one node: what it is, how it does, what leads to it and away from it. */

import { fill, h, setText } from "../dom.js";
import { age, count, rate } from "../format.js";
import { STATES, shape } from "../parts.js";
import { typesOf } from "./nodes.js";

const WHAT = {
  api: "An HTTP API: each change commits its event in the same transaction.",
  consumer: "Takes messages from its queues; each effect and its own event are one transaction.",
  outbox: "Rows that were committed and whose events no bus or queue has accepted yet.",
  relay: "Carries committed events on, and deletes a row only once its event was accepted.",
  bus: "An EventBridge bus: its rules decide who gets a copy.",
  rule: "Gives its target a copy of what it lets pass.",
  queue:
    "Work that waits for its consumer. After five tries a message goes to its dead-letter queue.",
  "dead-letter queue":
    "What could not be delivered or handled. It stays here until a person decides.",
  "log group": "Everything that ever was on the bus.",
};

/** @returns {{open: (node: any) => void, close: () => void, show: (snapshot: any) => void}} */
export function createDetail(panel, model, closed) {
  let node = null;
  let fresh = () => {};
  const close = () => {
    if (!node) return;
    const was = node;
    node = null;
    panel.hidden = true;
    closed(was);
  };
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });

  function open(chosen, snapshot) {
    node = chosen;
    const title = h("h2", { tabindex: "-1", text: chosen.name });
    const sentence = h("p", {});
    const facts = h("dl", { class: "facts" });
    fill(
      panel,
      h(
        "div",
        { class: "detail-head" },
        h(
          "div",
          {},
          h("p", {
            class: `node-kind d${chosen.index}`,
            text: `${chosen.kind} · ${chosen.domain}`,
          }),
          title,
        ),
        h("button", {
          type: "button",
          class: "quiet icon",
          "aria-label": "Close the details",
          text: "✕",
          on: { click: close },
        }),
      ),
      sentence,
      facts,
      h("p", { class: "muted small", text: WHAT[chosen.kind] ?? "" }),
      neighbours(chosen),
      links(chosen),
    );
    fresh = ({ nodes, rates, busRates }) =>
      update(
        chosen,
        nodes[chosen.id] ?? { state: "unknown" },
        { rates, busRates },
        sentence,
        facts,
      );
    panel.className = `detail card d${chosen.index}`;
    panel.hidden = false;
    if (snapshot) fresh(snapshot);
    title.focus();
  }

  function update(chosen, now, { rates, busRates }, sentence, facts) {
    const flow = (end) =>
      model.edges
        .filter((edge) => edge[end] === chosen.id && edge.kind !== "dead-letters")
        .reduce((sum, edge) => sum + (rates[edge.id] ?? 0), 0);
    const values = [
      ["state", h("span", {}, shape(now.state), ` ${STATES[now.state]?.word ?? now.state}`)],
      now.waiting !== null && now.waiting !== undefined && ["waiting", count(now.waiting)],
      now.inFlight !== null && now.inFlight !== undefined && ["in flight", count(now.inFlight)],
      now.oldestSeconds !== null &&
        now.oldestSeconds !== undefined && ["oldest", age(now.oldestSeconds)],
      chosen.kind === "bus"
        ? ["events", rate(busRates[chosen.name]) ?? "0/s"]
        : ["in", rate(flow("to")) ?? "0/s"],
      chosen.kind !== "bus" && ["out", rate(flow("from")) ?? "0/s"],
      typesOf(model, chosen) && ["lets pass", typesOf(model, chosen)],
    ].filter(Boolean);
    setText(sentence, now.sentence ?? "");
    fill(
      facts,
      values.map(([name, value]) => h("div", {}, h("dt", { text: name }), h("dd", {}, value))),
    );
  }

  function neighbours(chosen) {
    const line = (edge, end, word) =>
      h(
        "li",
        {},
        h("span", { class: "muted", text: `${word} ` }),
        h("button", {
          type: "button",
          class: "link",
          text: model.byId.get(edge[end]).name,
          on: { click: () => open(model.byId.get(edge[end]), latest()) },
        }),
        h("span", { class: "muted", text: ` (${edge.kind})` }),
      );
    return h(
      "ul",
      { class: "neighbours small" },
      model.edges.filter((edge) => edge.to === chosen.id).map((edge) => line(edge, "from", "from")),
      model.edges.filter((edge) => edge.from === chosen.id).map((edge) => line(edge, "to", "to")),
    );
  }

  let last = null;
  const latest = () => last;
  return {
    open,
    close,
    show: (snapshot) => {
      last = snapshot;
      if (node) fresh(snapshot);
    },
  };
}

function links(node) {
  const found = [];
  if (node.kind === "dead-letter queue")
    found.push(["Read its dead letters", `#/dead-letters/${encodeURIComponent(node.name)}`]);
  if (node.kind === "bus")
    found.push(["Replay from its archive", `#/replay/${encodeURIComponent(node.name)}`]);
  if (node.kind === "api") found.push(["Try it", "#/try"]);
  if (node.kind === "relay" || node.kind === "consumer")
    found.push(["Stop it, and see", "#/break"]);
  return found.length
    ? h(
        "p",
        { class: "buttons" },
        found.map(([text, href]) => h("a", { class: "button", href, text })),
      )
    : null;
}
