/** The drawing itself: lanes, lines, nodes and pulses, laid out again when its width changes. */

import { fill, h, s, setText } from "../dom.js";
import { drawLines } from "./lines.js";
import { narrow } from "./narrow.js";
import { drawNodes } from "./nodes.js";
import { createPulses } from "./pulses.js";
import { wide } from "./wide.js";

const WIDE_FROM = 690;

/** @returns {{show: (snapshot: any) => void, event: (event: any) => void, focus: (id: string) => void, end: () => void}} */
export function createBoard(container, model, chosen) {
  let parts = null;
  let last = null;
  let width = 0;

  function draw() {
    const now = Math.floor(container.clientWidth);
    if (!now || now === width) return;
    width = now;
    const focused = container.contains(document.activeElement)
      ? document.activeElement.title
      : null;
    parts?.pulses.end();
    parts = build(container, model, width, chosen);
    if (last) parts.show(last);
    if (focused) container.querySelector(`button[title="${CSS.escape(focused)}"]`)?.focus();
  }

  const watcher = new ResizeObserver(draw);
  watcher.observe(container);
  draw();
  return {
    show: (snapshot) => {
      last = snapshot;
      parts?.show(snapshot);
    },
    event: (event) => parts?.pulses.event(event),
    focus: (id) => parts?.nodes.buttons.get(id)?.focus(),
    end: () => {
      watcher.disconnect();
      parts?.pulses.end();
    },
  };
}

function build(container, model, width, chosen) {
  const drawing = width >= WIDE_FROM ? wide(model, width) : narrow(model, width);
  const svg = s("svg", {
    class: "lines",
    width,
    height: drawing.height,
    viewBox: `0 0 ${width} ${drawing.height}`,
    "aria-hidden": "true",
    focusable: "false",
  });
  const heads = drawing.lanes.map((lane) => head(lane));
  for (const { domain, x, y, w, h: height } of drawing.lanes)
    svg.append(
      s("rect", {
        class: `lane d${domain.index}`,
        x: x + 0.5,
        y: y + 0.5,
        width: w - 1,
        height: height - 1,
        rx: 14,
      }),
    );
  const canvas = h("canvas", { class: "pulses", "aria-hidden": "true" });
  const layer = h("div", { class: width >= WIDE_FROM ? "nodes" : "nodes narrow" });
  fill(container, svg, canvas, layer);
  container.style.height = `${drawing.height}px`;
  const lines = drawLines(svg, model, drawing);
  layer.append(...heads.map(({ element }) => element));
  const nodes = drawNodes(layer, model, drawing, chosen);
  const pulses = createPulses(canvas, { model, drawing, lines });
  return {
    nodes,
    pulses,
    show: (snapshot) => {
      lines.show(snapshot.rates ?? {});
      nodes.show(snapshot);
      heads.forEach((each) => each.show(snapshot, model));
    },
  };
}

/** A lane's name, and beside it what is stuck in it, in words. */
function head({ domain, x, y, w }) {
  const stuck = h("span", { class: "lane-stuck" });
  const element = h(
    "p",
    { class: `lane-head d${domain.index}` },
    h("span", { class: "lane-name", text: domain.name }),
    stuck,
  );
  Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${w}px` });
  return {
    element,
    show: ({ needsPerson = [] }, model) => {
      const mine = needsPerson.filter((each) => model.byId.get(each.node)?.domain === domain.name);
      const more = mine.length > 1 ? ` (and ${mine.length - 1} more)` : "";
      setText(
        stuck,
        mine.length ? `▲ ${model.byId.get(mine[0].node).name}: ${mine[0].sentence}${more}` : "",
      );
      stuck.title = stuck.textContent;
    },
  };
}
