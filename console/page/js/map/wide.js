/**
 * The layout where there is width: a lane for each domain. On top the way out, from the API to the bus; beneath,
 * right to left, the ways in, from the bus to the consumer and up to the outbox. The bus is tall, at the right,
 * and beside it the rules that lead into other lanes, through a channel at the edge.
 */

import { bottom, elbow, hang, hanging, left, middleX, middleY, right, tracks } from "./geometry.js";

const ROOMY = {
  pad: 18,
  gap: 36,
  bus: 116,
  cross: 208,
  track: 12,
  node: 62,
  small: 48,
  quiet: 32,
  chip: 22,
  row: 18,
  head: 40,
  lanes: 18,
  columns: Infinity,
};
const TIGHT = {
  pad: 12,
  gap: 22,
  bus: 92,
  cross: 142,
  track: 9,
  node: 80,
  small: 76,
  quiet: 44,
  chip: 22,
  row: 16,
  head: 38,
  lanes: 14,
  columns: 3,
};
export const ROOMY_FROM = 1150;

/** @returns {import("./geometry.js").Drawing} */
export function wide(model, width) {
  const sizes = width >= ROOMY_FROM ? ROOMY : TIGHT;
  const taken = tracks(model);
  const channel = taken.size ? taken.size * sizes.track + 16 : 0;
  const cross = model.between.length ? sizes.cross + sizes.gap : 0;
  const bus = width - channel - sizes.pad - cross - sizes.bus;
  const steps = Math.max(1, ...model.domains.map((domain) => domain.chain.length));
  const columns = Math.min(steps, sizes.columns);
  const grid = {
    sizes,
    bus,
    columns,
    width: (bus - sizes.pad - sizes.gap * columns) / columns,
    end: width - channel,
  };
  const drawing = {
    width,
    height: 0,
    lanes: [],
    boxes: new Map(),
    lines: new Map(),
    named: new Set(),
    arrivals: new Map(),
    channel: grid.end + 12,
    taken,
    sizes,
  };
  let y = 0;
  for (const domain of model.domains) y += lane(drawing, model, domain, grid, y) + sizes.lanes;
  drawing.height = y - sizes.lanes;
  for (const edge of model.edges) drawing.lines.set(edge.id, line(drawing, model, edge));
  return drawing;
}

function lane(drawing, model, domain, grid, top) {
  const { sizes } = grid;
  const start = top + sizes.head;
  let y = chain(drawing, model, domain, grid, start);
  y = waysIn(drawing, model, domain, grid, y);
  const end = Math.max(y, crossing(drawing, model, domain, grid, start)) - sizes.row;
  if (domain.bus)
    drawing.boxes.set(domain.bus.id, {
      x: grid.bus,
      y: start,
      w: sizes.bus,
      h: end - start,
      style: "bus",
    });
  const height = end - top + sizes.pad;
  drawing.lanes.push({ domain, x: 0, y: top, w: grid.end, h: height });
  return height;
}

const column = (grid, i) => grid.sizes.pad + i * (grid.width + grid.sizes.gap);

/** The way out; what has no room in one band goes on in the next, at its right end, before the bus. */
function chain(drawing, model, domain, grid, top) {
  const { sizes, columns } = grid;
  let y = top;
  for (let from = 0; from < domain.chain.length; from += columns) {
    const band = domain.chain.slice(from, from + columns);
    const first = from ? columns - band.length : 0;
    let depth = 0;
    band.forEach((nodes, i) => {
      let at = y;
      for (const node of nodes) {
        drawing.boxes.set(node.id, {
          x: column(grid, first + i),
          y: at,
          w: grid.width,
          h: sizes.node,
          style: "node",
        });
        at += sizes.node + hang(drawing.boxes, model, node, sizes) + 10;
      }
      depth = Math.max(depth, at - 10 - y);
    });
    y += depth + sizes.row + 6;
  }
  return y;
}

function waysIn(drawing, model, domain, grid, top) {
  const { sizes, columns } = grid;
  const home = columns > 3 ? 1 : 0; // under the outbox where there is room between
  const x = column(grid, Math.min(home + 1, columns - 1));
  const room = grid.bus - sizes.gap - x;
  const target = { x, w: (room - sizes.gap) * 0.52 };
  const rule = { x: x + target.w + sizes.gap, w: room - target.w - sizes.gap };
  const reach = new Map();
  let y = top;
  for (const way of domain.ways) {
    const loud = way.target.kind !== "log group";
    const h = loud ? sizes.node : sizes.quiet;
    const ruleHeight = loud ? sizes.small : sizes.quiet;
    drawing.boxes.set(way.target.id, { ...target, y, h, style: loud ? "node" : "quiet" });
    way.rules.forEach((each, i) =>
      drawing.boxes.set(each.id, {
        ...rule,
        y: y + (h - ruleHeight) / 2 + i * (ruleHeight + 6),
        h: ruleHeight,
        style: loud ? "rule" : "quiet",
      }),
    );
    const rules = Math.max(0, way.rules.length - 1) * (ruleHeight + 6);
    if (way.consumer)
      reach.set(way.consumer, [Math.min(y, reach.get(way.consumer)?.[0] ?? y), y + h]);
    y += h + Math.max(hang(drawing.boxes, model, way.target, sizes), rules) + sizes.row;
  }
  for (const [consumer, [from, to]] of reach)
    drawing.boxes.set(consumer.id, {
      x: column(grid, home),
      y: from,
      w: grid.width,
      h: to - from,
      style: "node",
    });
  domain.others.forEach((node, i) =>
    drawing.boxes.set(node.id, {
      x: column(grid, i % columns),
      y: y + Math.floor(i / columns) * (sizes.node + 10),
      w: grid.width,
      h: sizes.node,
      style: "node",
    }),
  );
  return y + Math.ceil(domain.others.length / columns) * (sizes.node + sizes.row);
}

/** The rules that lead out of the lane, then a row for each edge that comes in from another. */
function crossing(drawing, model, domain, grid, top) {
  const { sizes } = grid;
  const x = grid.bus + sizes.bus + sizes.gap;
  let y = top;
  for (const rule of domain.crossing) {
    drawing.boxes.set(rule.id, { x, y, w: sizes.cross, h: sizes.small, style: "rule" });
    y += sizes.small + hang(drawing.boxes, model, rule, sizes) + sizes.row;
  }
  const arriving = model.between.filter((edge) => edge.to === domain.bus?.id);
  for (const edge of arriving) {
    drawing.arrivals.set(edge.id, y + 22);
    y += 38;
  }
  return y + (arriving.length ? sizes.row : 0);
}

function line(drawing, model, edge) {
  const [from, to] = [drawing.boxes.get(edge.from), drawing.boxes.get(edge.to)];
  const kind = model.byId.get(edge.to).kind;
  if (!from || !to) return [];
  if (drawing.taken.has(edge.id)) {
    const x = drawing.channel + drawing.taken.get(edge.id) * drawing.sizes.track;
    const y = drawing.arrivals.get(edge.id);
    drawing.named.add(edge.id);
    return [
      [right(from), middleY(from)],
      [x, middleY(from)],
      [x, y],
      [right(to), y],
    ];
  }
  if (edge.kind === "dead-letters") return dead(drawing, model, edge, from, to);
  if (edge.kind === "matches")
    return left(to) > right(from)
      ? [
          [right(from), middleY(to)],
          [left(to), middleY(to)],
        ]
      : [
          [left(from), middleY(to)],
          [right(to), middleY(to)],
        ];
  if (edge.kind === "receives" && left(from) > right(to))
    return [
      [left(from), middleY(from)],
      [right(to), middleY(from)],
    ];
  if (kind === "bus")
    return [
      [right(from), middleY(from)],
      [left(to), middleY(from)],
    ];
  if (edge.kind === "commits" && from.y > to.y) return up(from, to, drawing.sizes);
  if (edge.kind === "sends" && to.y > bottom(from)) {
    const y = to.y - drawing.sizes.row / 2;
    return [
      [middleX(from), bottom(from)],
      [middleX(from), y],
      [middleX(to), y],
      [middleX(to), to.y],
    ];
  }
  return elbow(from, to);
}

/** A consumer to the outbox above it, or above and to the right. */
function up(from, to, sizes) {
  if (Math.abs(from.x - to.x) < 2)
    return [
      [middleX(from), from.y],
      [middleX(from), bottom(to)],
    ];
  const y = bottom(to) + sizes.row / 2;
  return [
    [middleX(from), from.y],
    [middleX(from), y],
    [middleX(to), y],
    [middleX(to), bottom(to)],
  ];
}

function dead(drawing, model, edge, from, to) {
  if (model.hostOf.get(edge.to)?.id === edge.from) return hanging(from, to);
  if (left(from) >= right(to)) {
    return [
      [from.x + 16, bottom(from)],
      [from.x + 16, middleY(to)],
      [right(to), middleY(to)],
    ];
  }
  if (middleX(from) < left(to))
    return [
      [middleX(from), bottom(from)],
      [middleX(from), middleY(to)],
      [left(to), middleY(to)],
    ];
  const y = bottom(from) + 6;
  const x = right(to) + drawing.sizes.gap / 2;
  return [
    [from.x + 16, bottom(from)],
    [from.x + 16, y],
    [x, y],
    [x, middleY(to)],
    [right(to), middleY(to)],
  ];
}
