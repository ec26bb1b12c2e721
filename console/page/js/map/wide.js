/**
 * The layout where there is width: a lane for each domain. On top the way out, from the API to the bus; beneath,
 * right to left, the ways in, from the bus to the consumer and up to the outbox. The bus is tall, at the right,
 * and beside it the rules that lead into other lanes, through a channel at the edge.
 */

import { Drawing } from "./drawing.js";
import { straight, upright } from "./geometry.js";

const ROOMY = {
  pad: 18,
  gap: 36,
  bus: 116,
  cross: 208,
  channel: 16,
  track: 12,
  node: 62,
  small: 48,
  quiet: 32,
  chip: 22,
  indent: 0,
  row: 18,
  head: 40,
  lanes: 18,
  columns: Infinity,
};
const TIGHT = {
  ...ROOMY,
  pad: 12,
  gap: 22,
  bus: 92,
  cross: 142,
  track: 9,
  node: 80,
  small: 76,
  quiet: 44,
  row: 16,
  head: 38,
  lanes: 14,
  columns: 3,
};
const ROOMY_FROM = 1150;

export class Wide extends Drawing {
  arrivals = new Map();

  constructor(model, width) {
    super(model, width, width >= ROOMY_FROM ? ROOMY : TIGHT);
    const { pad, gap, bus, cross, columns } = this.sizes;
    const steps = Math.max(1, ...model.domains.map((domain) => domain.chain.length));
    this.columns = Math.min(steps, columns);
    this.bus = this.end - pad - (model.between.length ? cross + gap : 0) - bus;
    this.step = (this.bus - pad) / this.columns;
    this.draw();
  }

  lane(domain, top) {
    const { sizes } = this;
    const start = top + sizes.head;
    const ways = this.waysIn(domain, this.chain(domain, start));
    const end = Math.max(ways, this.crossing(domain, start)) - sizes.row;
    if (domain.bus) this.place(domain.bus, this.bus, start, sizes.bus, end - start, "bus");
    return end - top + sizes.pad;
  }

  /** The place of a node in a column. */
  cell(node, i, y, h) {
    const { pad, gap } = this.sizes;
    return this.place(node, pad + i * this.step, y, this.step - gap, h, "node");
  }

  /** The way out; what has no room in one band goes on in the next, at its right end, before the bus. */
  chain({ chain }, top) {
    const { node: height, row } = this.sizes;
    let y = top;
    for (let from = 0; from < chain.length; from += this.columns) {
      const band = chain.slice(from, from + this.columns);
      const first = from ? this.columns - band.length : 0;
      const ends = band.map((nodes, i) =>
        nodes.reduce((at, node) => this.cell(node, first + i, at, height) + 10, y),
      );
      y = Math.max(...ends) - 10 + row + 6;
    }
    return y;
  }

  waysIn({ ways, others }, top) {
    const { pad, gap, node, small, quiet, row } = this.sizes;
    const home = this.columns > 3 ? 1 : 0; // under the outbox where there is room between
    const x = pad + Math.min(home + 1, this.columns - 1) * this.step;
    const room = this.bus - gap - x;
    const width = (room - gap) * 0.52;
    let y = top;
    for (const { target, rules } of ways) {
      const loud = target.kind !== "log group";
      const [h, rule] = loud ? [node, small] : [quiet, quiet];
      const end = this.place(target, x, y, width, h, loud ? "node" : "quiet");
      const [ruleX, ruleY] = [x + width + gap, y + (h - rule) / 2];
      rules.forEach((each, i) => {
        const at = ruleY + i * (rule + 6);
        this.place(each, ruleX, at, room - width - gap, rule, loud ? "rule" : "quiet");
      });
      y = Math.max(end, y + h + (rules.length - 1) * (rule + 6)) + row;
    }
    this.consumers(ways, home);
    others.forEach((each, i) =>
      this.cell(each, i % this.columns, y + Math.floor(i / this.columns) * (node + 10), node),
    );
    return y + Math.ceil(others.length / this.columns) * (node + row);
  }

  /** Each as tall as what it takes from. */
  consumers(ways, column) {
    for (const consumer of new Set(ways.map((way) => way.consumer).filter(Boolean))) {
      const mine = ways.filter((way) => way.consumer === consumer);
      const [first, last] = [mine[0], mine.at(-1)].map(({ target }) => this.boxes.get(target.id));
      this.cell(consumer, column, first.y, last.bottom - first.y);
    }
  }

  /** The rules that lead out of the lane, then a row for each edge that comes in from another. */
  crossing({ crossing, bus }, top) {
    const { gap, bus: width, cross, small, row } = this.sizes;
    const x = this.bus + width + gap;
    let y = top;
    for (const rule of crossing) y = this.place(rule, x, y, cross, small, "rule") + row;
    const arriving = this.arriving(bus);
    arriving.forEach((edge, i) => this.arrivals.set(edge.id, y + 22 + i * 38));
    return y + arriving.length * 38 + (arriving.length ? row : 0);
  }

  arrival = (edge) => this.arrivals.get(edge.id);

  line({ kind, to: end }, from, to) {
    const { row } = this.sizes;
    if (kind === "dead-letters") return this.dead(from, to);
    if (kind === "matches") return straight(from, to, to.middleY);
    if ((kind === "receives" && from.x > to.right) || this.model.byId.get(end).kind === "bus")
      return straight(from, to, from.middleY);
    if (kind === "commits" && from.y > to.y) {
      // from a consumer to the outbox above it, or above and to the right
      if (Math.abs(from.x - to.x) < 2) return upright(from.middleX, from.y, to.bottom);
      return upright(from.middleX, from.y, to.bottom + row / 2, to.middleX, to.bottom);
    }
    if (kind === "sends" && to.y > from.bottom)
      return upright(from.middleX, from.bottom, to.y - row / 2, to.middleX, to.y);
    return null;
  }

  dead(from, to) {
    if (from.x >= to.right) return upright(from.x + 16, from.bottom, to.middleY, to.right);
    if (from.middleX < to.x) return upright(from.middleX, from.bottom, to.middleY, to.x);
    const x = to.right + this.sizes.gap / 2;
    return upright(from.x + 16, from.bottom, from.bottom + 6, x, to.middleY, to.right);
  }
}
