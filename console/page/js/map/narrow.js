/**
 * The layout of a telephone: domain under domain, each from top to bottom. The way out, the bus, then what hangs on the bus:
 * rules on a trunk at the left, queues under their rules, the consumer last and from it a line back up to the outbox.
 * Edges between domains run in a channel at the right.
 */

import { bottom, elbow, hang, hanging, left, middleY, right, tracks } from "./geometry.js";

const SIZES = {
  edge: 20,
  trunk: 18,
  inner: 20,
  track: 8,
  node: 60,
  indent: 0.28,
  rule: 48,
  quiet: 44,
  chip: 24,
  gap: 20,
  head: 40,
  bus: 46,
  lanes: 16,
};

/** @returns {import("./geometry.js").Drawing} */
export function narrow(model, width) {
  const taken = tracks(model);
  const channel = taken.size ? taken.size * SIZES.track + 8 : 0;
  const end = width - channel;
  const drawing = {
    width,
    height: 0,
    lanes: [],
    boxes: new Map(),
    lines: new Map(),
    named: new Set(),
    taken,
    end,
    bare: true,
  };
  let y = 0;
  for (const domain of model.domains) {
    const height = lane(drawing, model, domain, y);
    drawing.lanes.push({ domain, x: 0, y, w: end, h: height });
    y += height + SIZES.lanes;
  }
  drawing.height = y - SIZES.lanes;
  for (const edge of model.edges) drawing.lines.set(edge.id, line(drawing, model, edge));
  return drawing;
}

function lane(drawing, model, domain, top) {
  const x = SIZES.edge;
  const w = drawing.end - SIZES.edge - SIZES.inner;
  const inside = { x: x + SIZES.trunk, w: w - SIZES.trunk };
  let y = top + SIZES.head;
  const put = (node, box) => {
    drawing.boxes.set(node.id, { ...box, y });
    y += box.h + hang(drawing.boxes, model, node, SIZES) + SIZES.gap;
  };
  domain.chain.flat().forEach((node) => put(node, { x, w, h: SIZES.node, style: "node" }));
  const arriving = model.between.filter((edge) => edge.to === domain.bus?.id).length;
  if (domain.bus)
    put(domain.bus, { x, w, h: Math.max(SIZES.bus, 14 + arriving * 14), style: "bus" });
  domain.crossing.forEach((rule) => put(rule, { ...inside, h: SIZES.rule, style: "rule" }));
  for (const way of domain.ways.filter((each) => each.target.kind === "log group")) {
    const half = (inside.w - 16) / 2;
    drawing.boxes.set(way.target.id, {
      x: inside.x + half + 16,
      y,
      w: half,
      h: SIZES.quiet,
      style: "quiet",
    });
    way.rules.forEach((rule) =>
      drawing.boxes.set(rule.id, { x: inside.x, y, w: half, h: SIZES.quiet, style: "quiet" }),
    );
    y += SIZES.quiet + SIZES.gap;
  }
  const rest = domain.ways.filter((each) => each.target.kind !== "log group");
  rest.forEach((way, i) => {
    way.rules.forEach((rule) => put(rule, { ...inside, h: SIZES.rule, style: "rule" }));
    put(way.target, { x: inside.x + 14, w: inside.w - 14, h: SIZES.node, style: "node" });
    if (way.consumer && !rest.slice(i + 1).some((later) => later.consumer === way.consumer))
      put(way.consumer, { x, w, h: SIZES.node, style: "node" });
  });
  domain.others.forEach((node) => put(node, { x, w, h: SIZES.node, style: "node" }));
  return y - SIZES.gap + 14 - top;
}

function line(drawing, model, edge) {
  const [from, to] = [drawing.boxes.get(edge.from), drawing.boxes.get(edge.to)];
  if (!from || !to) return [];
  if (drawing.taken.has(edge.id)) {
    const arriving = model.between.filter((each) => each.to === edge.to);
    const x = drawing.end + 6 + drawing.taken.get(edge.id) * SIZES.track;
    const y = to.y + (to.h * (arriving.indexOf(edge) + 1)) / (arriving.length + 1);
    return [
      [right(from), middleY(from)],
      [x, middleY(from)],
      [x, y],
      [right(to), y],
    ];
  }
  if (edge.kind === "dead-letters") {
    if (model.hostOf.get(edge.to)?.id === edge.from) return hanging(from, to);
    return around(from, to, right(to) + 6);
  }
  if (edge.kind === "matches")
    return [
      [from.x + 9, bottom(from)],
      [from.x + 9, middleY(to)],
      [left(to), middleY(to)],
    ];
  if (edge.kind === "receives" && to.x < from.x) return around(from, to, right(from) + 13);
  if (edge.kind === "commits" && from.y > to.y)
    return [
      [left(from), middleY(from)],
      [SIZES.edge / 2, middleY(from)],
      [SIZES.edge / 2, middleY(to)],
      [left(to), middleY(to)],
    ];
  if (left(to) >= right(from) && Math.abs(middleY(from) - middleY(to)) < 2)
    return [
      [right(from), middleY(from)],
      [left(to), middleY(to)],
    ];
  if (to.y > from.y)
    return [
      [to.x + to.w * 0.13, bottom(from)],
      [to.x + to.w * 0.13, to.y],
    ]; // left of what hangs between
  return elbow(from, to);
}

/** Out at the right, down, and in again at the right. */
const around = (from, to, x) => [
  [right(from), middleY(from)],
  [x, middleY(from)],
  [x, middleY(to)],
  [right(to), middleY(to)],
];
