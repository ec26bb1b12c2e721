/** The nodes, as buttons that lie on the drawing: what a node is, how much waits there and how it does. */

import { h, setText } from "../dom.js";
import { age, count, rate } from "../format.js";
import { STATES, UNKNOWN, noShape, setShape } from "../parts.js";

/** How the kinds are called where there is little room. */
const SHORT = { "dead-letter queue": "DLQ", "log group": "log" };

/**
 * Make a button for every node of a drawing. @returns {{show: (snapshot: any) => void, buttons: Map<string, HTMLElement>}}
 */
export function drawNodes(layer, model, drawing, chosen) {
  const placed = model.nodes.filter((node) => drawing.boxes.has(node.id));
  const parts = placed.map((node) => make(node, drawing.boxes.get(node.id), typesOf(model, node)));
  for (const { node, button } of parts) button.onclick = () => chosen(node);
  layer.append(...parts.map(({ button }) => button));
  return {
    buttons: new Map(parts.map(({ node, button }) => [node.id, button])),
    show: (snapshot) => parts.forEach((part) => show(part, snapshot)),
  };
}

/** What a rule lets pass, in words. */
export function typesOf(model, node) {
  if (node.kind !== "rule") return null;
  const delivers = model.edges.filter(({ from, kind }) => from === node.id && kind === "delivers");
  const types = new Set(delivers.flatMap((edge) => edge.detailTypes));
  return [...types].join(", ") || "every event";
}

function make(node, { x, y, w, h: height, style }, types) {
  const mark = noShape();
  const badge = h("span.badge");
  const name = style === "chip" ? node.name : breakable(node.name);
  const button = h(
    `button.node.d${node.index}.${style}.is-${node.kind.replaceAll(" ", "-")}`,
    { type: "button", title: node.name },
    h(
      "span.node-head",
      { "aria-hidden": "true" },
      h("span.node-kind", SHORT[node.kind] ?? node.kind),
      h("span.node-state", mark, badge),
    ),
    h(
      "span.node-body",
      { "aria-hidden": "true" },
      h("span.node-name", name),
      types && h("span.node-types", breakable(types)),
    ),
  );
  const place = { left: x, top: y, width: w, height };
  for (const [side, value] of Object.entries(place)) button.style[side] = `${value}px`;
  return { node, style, button, mark, badge };
}

function show({ node, style, button, mark, badge }, { nodes, busRates }) {
  const now = nodes[node.id] ?? UNKNOWN;
  const speed = node.kind === "bus" ? (rate(busRates[node.name]) ?? "0/s") : null;
  button.dataset.state = now.state;
  button.toggleAttribute("data-empty", !now.waiting);
  setShape(mark, now.state);
  setText(badge, speed ?? (style === "chip" && now.waiting ? count(now.waiting) : numbers(now)));
  const said = [`${STATES[now.state].word}.`, speed && `${speed}.`, now.sentence];
  button.ariaLabel = `${node.kind} ${node.name}, ${node.domain}: ${said.filter(Boolean).join(" ")}`;
}

/** `3 · 0.4 s`: how many wait, and since when; else how it does, unless that is well. */
function numbers({ state, waiting, oldestSeconds }) {
  if (waiting) return [count(waiting), age(oldestSeconds)].filter(Boolean).join(" · ");
  if (waiting === 0) return "0";
  return state === "ok" || state === "busy" ? "" : STATES[state].word;
}

/** A name that may break after a dash, a dot, or where a new word begins. */
const breakable = (text) =>
  text.split(/(?<=[-.,])|(?<=[a-z])(?=[A-Z])/).flatMap((part, i) => (i ? [h("wbr"), part] : part));
