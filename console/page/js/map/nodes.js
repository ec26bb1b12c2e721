/** The nodes, as buttons that lie on the drawing: what a node is, how much waits there and how it does. */

import { h, setAttribute, setText } from "../dom.js";
import { age, count, rate } from "../format.js";
import { STATES } from "../parts.js";

/** How the kinds are called where there is little room. */
const SHORT = { "dead-letter queue": "DLQ", "log group": "log" };

/**
 * Make a button for every node of a drawing. @returns {{show: (snapshot: any) => void, buttons: Map<string, HTMLElement>}}
 */
export function drawNodes(layer, model, drawing, chosen) {
  const parts = new Map();
  for (const node of model.nodes) {
    const box = drawing.boxes.get(node.id);
    if (!box) continue;
    const part = make(node, box.style, typesOf(model, node));
    part.button.addEventListener("click", () => chosen(node));
    for (const [side, value] of [
      ["left", box.x],
      ["top", box.y],
      ["width", box.w],
      ["height", box.h],
    ])
      part.button.style[side] = `${value}px`;
    parts.set(node.id, { node, ...part });
    layer.append(part.button);
  }
  return {
    buttons: new Map([...parts].map(([id, { button }]) => [id, button])),
    show: (snapshot) => {
      for (const part of parts.values()) show(part, snapshot);
    },
  };
}

/** What a rule lets pass, in words. */
export function typesOf(model, node) {
  if (node.kind !== "rule") return "";
  const types = new Set(
    model.edges
      .filter((edge) => edge.from === node.id && edge.kind === "delivers")
      .flatMap((edge) => edge.detailTypes),
  );
  return [...types].join(", ") || "every event";
}

function make(node, style, types) {
  const mark = h("span", { class: "shape" });
  const badge = h("span", { class: "badge" });
  const name = h(
    "span",
    { class: "node-name" },
    style === "chip" ? node.name : breakable(node.name),
  );
  const kind = h("span", { class: "node-kind", text: SHORT[node.kind] ?? node.kind });
  const button = h(
    "button",
    {
      type: "button",
      class: `node d${node.index} ${style} is-${node.kind.replaceAll(" ", "-")}`,
      title: node.name,
    },
    h(
      "span",
      { class: "node-head", "aria-hidden": "true" },
      kind,
      h("span", { class: "node-state" }, mark, badge),
    ),
    h(
      "span",
      { class: "node-body", "aria-hidden": "true" },
      name,
      types ? h("span", { class: "node-types" }, breakable(types)) : null,
    ),
  );
  return { style, button, mark, badge };
}

function show({ node, style, button, mark, badge }, { nodes, busRates }) {
  const now = nodes[node.id] ?? { state: "unknown", sentence: "nothing is known of it" };
  const speed = node.kind === "bus" ? (rate(busRates?.[node.name]) ?? "0/s") : null;
  setAttribute(button, "data-state", now.state);
  setAttribute(mark, "class", `shape ${now.state}`);
  setText(mark, STATES[now.state]?.shape ?? "?");
  setText(
    badge,
    speed ?? (style === "chip" && now.waiting ? count(now.waiting) : numbers(node, now)),
  );
  setAttribute(button, "data-empty", now.waiting ? null : "");
  setAttribute(
    button,
    "aria-label",
    `${node.kind} ${node.name}, ${node.domain}: ${STATES[now.state]?.word ?? now.state}. ${speed ? `${speed}. ` : ""}${now.sentence ?? ""}`,
  );
}

/** `3 · 0.4 s`: how many wait, and since when. */
export function numbers(node, { state, waiting, oldestSeconds }) {
  if (waiting === null || waiting === undefined)
    return state === "ok" || state === "busy" ? "" : (STATES[state]?.word ?? state);
  if (!waiting) return "0";
  return [count(waiting), age(oldestSeconds)].filter(Boolean).join(" · ");
}

/** A name that may break after a dash, a dot, or where a new word begins. */
function breakable(text) {
  return text
    .split(/(?<=[-.,])|(?<=[a-z])(?=[A-Z])/)
    .flatMap((part, i) => (i ? [h("wbr"), part] : [part]));
}
