/** The drawing itself: lanes, lines, nodes and pulses, laid out again when its width changes. */

import { fill, h, s, setText } from "../dom.js";
import { drawLines } from "./lines.js";
import { Narrow } from "./narrow.js";
import { drawNodes } from "./nodes.js";
import { createPulses } from "./pulses.js";
import { Wide } from "./wide.js";

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
    const focused = container.contains(document.activeElement) && document.activeElement.title;
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
  const isWide = width >= WIDE_FROM;
  const drawing = isWide ? new Wide(model, width) : new Narrow(model, width);
  const { height } = drawing;
  const frames = drawing.lanes.map(({ domain, y, w, h: deep }) =>
    s(`rect.lane.d${domain.index}`, { x: 0.5, y: y + 0.5, width: w - 1, height: deep - 1, rx: 14 }),
  );
  const svg = s(
    "svg.lines",
    { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" },
    frames,
  );
  const canvas = h("canvas.pulses", { "aria-hidden": "true" });
  const heads = drawing.lanes.map((lane) => head(lane, model));
  const layer = h(
    isWide ? "div" : "div.narrow",
    heads.map(({ element }) => element),
  );
  fill(container, svg, canvas, layer);
  container.style.height = `${height}px`;
  const lines = drawLines(svg, model, drawing);
  const nodes = drawNodes(layer, model, drawing, chosen);
  const pulses = createPulses(canvas, { model, drawing, lines });
  return {
    nodes,
    pulses,
    show: (snapshot) => {
      lines.show(snapshot.rates);
      nodes.show(snapshot);
      heads.forEach((each) => each.show(snapshot));
    },
  };
}

/** A lane's name, and beside it what is stuck in it, in words. */
function head({ domain, y, w }, model) {
  const stuck = h("span.lane-stuck");
  const element = h(`p.lane-head.d${domain.index}`, h("span.lane-name", domain.name), stuck);
  Object.assign(element.style, { left: "0", top: `${y}px`, width: `${w}px` });
  const show = ({ needsPerson }) => {
    const mine = needsPerson.filter((each) => model.byId.get(each.node)?.domain === domain.name);
    const more = mine.length > 1 ? ` (and ${mine.length - 1} more)` : "";
    const [first] = mine;
    setText(stuck, first ? `▲ ${model.byId.get(first.node).name}: ${first.sentence}${more}` : "");
    stuck.title = stuck.textContent;
  };
  return { element, show };
}
