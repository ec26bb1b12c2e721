/** Everything about one node: what it is, how it does, what leads to it and away from it. */

import { fill, h, setText } from "../dom.js";
import { age, count, rate } from "../format.js";
import { STATES, UNKNOWN, button, shape, terms } from "../parts.js";
import { address } from "../router.js";
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

/** What can be done about a node, and where, by its kind. */
const LINKS = {
  api: ["Try it", () => "#/try"],
  relay: ["Stop it, and see", () => "#/break"],
  consumer: ["Stop it, and see", () => "#/break"],
  bus: ["Replay from its archive", ({ name }) => address("replay", name)],
  "dead-letter queue": ["Read its dead letters", ({ name }) => address("dead-letters", name)],
};

/** @returns {{open: (node: any) => void, show: (snapshot: any) => void}} */
export function createDetail(panel, model, live, closed) {
  const sentence = h("p");
  const facts = h("dl.facts");
  let node = null;
  const close = () => {
    panel.hidden = true;
    closed(node);
  };
  panel.onkeydown = (event) => {
    if (event.key === "Escape") close();
  };

  function open(chosen) {
    node = chosen;
    const { kind, domain, name, index } = chosen;
    const about = h(`p.node-kind.d${index}`, `${kind} · ${domain}`);
    const title = h("h2", { tabindex: "-1" }, name);
    const leave = button("✕", close, ".quiet.icon");
    leave.ariaLabel = "Close the details";
    const [label, link] = LINKS[kind] ?? [];
    fill(
      panel,
      h("div.detail-head", h("div", about, title), leave),
      sentence,
      facts,
      h("p.muted.small", WHAT[kind]),
      neighbours(),
      link && h("p.buttons", h("a.button", { href: link(chosen) }, label)),
    );
    panel.className = `detail card d${index}`;
    panel.hidden = false;
    if (live.snapshot) show(live.snapshot);
    title.focus();
  }

  function show({ nodes, rates, busRates }) {
    if (panel.hidden) return;
    const now = nodes[node.id] ?? UNKNOWN;
    const flow = (end) =>
      model.edges
        .filter((edge) => edge[end] === node.id && edge.kind !== "dead-letters")
        .reduce((sum, edge) => sum + (rates[edge.id] ?? 0), 0);
    const speeds =
      node.kind === "bus" ? { events: busRates[node.name] } : { in: flow("to"), out: flow("from") };
    setText(sentence, now.sentence);
    fill(
      facts,
      terms([
        ["state", h("span", shape(now.state), ` ${STATES[now.state].word}`)],
        ["waiting", now.waiting === null ? null : count(now.waiting)],
        ["in flight", now.inFlight === null ? null : count(now.inFlight)],
        ["oldest", age(now.oldestSeconds) || null],
        ...Object.entries(speeds).map(([name, speed]) => [name, rate(speed) ?? "0/s"]),
        ["lets pass", typesOf(model, node)],
      ]),
    );
  }

  function neighbours() {
    const line = (edge, end) => {
      const other = model.byId.get(edge[end]);
      return h(
        "li",
        h("span.muted", `${end} `),
        button(other.name, () => open(other), ".link"),
        h("span.muted", ` (${edge.kind})`),
      );
    };
    const from = model.edges.filter((edge) => edge.to === node.id);
    const to = model.edges.filter((edge) => edge.from === node.id);
    return h(
      "ul.neighbours.small",
      from.map((edge) => line(edge, "from")),
      to.map((edge) => line(edge, "to")),
    );
  }

  return { open, show };
}
