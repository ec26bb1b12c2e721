/**
 * The layout of a telephone: domain under domain, each from top to bottom. The way out, the bus, then what hangs on the bus:
 * rules on a trunk at the left, queues under their rules, the consumer last and from it a line back up to the outbox.
 * Edges between domains run in a channel at the right.
 */

import { Drawing } from "./drawing.js";
import { level, straight, upright } from "./geometry.js";

const SIZES = {
  edge: 20,
  trunk: 18,
  inner: 20,
  channel: 8,
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

export class Narrow extends Drawing {
  bare = true;

  constructor(model, width) {
    super(model, width, SIZES);
    this.draw();
  }

  lane({ chain, bus, crossing, ways, others }, top) {
    const whole = { x: SIZES.edge, w: this.end - SIZES.edge - SIZES.inner };
    const inside = { x: whole.x + SIZES.trunk, w: whole.w - SIZES.trunk };
    let y = top + SIZES.head;
    const put =
      (style, { x, w }, h) =>
      (each) => {
        y = this.place(each, x, y, w, h, style) + SIZES.gap;
      };
    const node = put("node", whole, SIZES.node);
    const rule = put("rule", inside, SIZES.rule);
    const queue = put("node", { x: inside.x + 14, w: inside.w - 14 }, SIZES.node);
    chain.flat().forEach(node);
    if (bus) put("bus", whole, Math.max(SIZES.bus, 14 + this.arriving(bus).length * 14))(bus);
    crossing.forEach(rule);
    const half = (inside.w - 16) / 2;
    for (const { rules, target } of ways.filter((way) => way.target.kind === "log group")) {
      rules.forEach((each) => this.place(each, inside.x, y, half, SIZES.quiet, "quiet"));
      put("quiet", { x: inside.x + half + 16, w: half }, SIZES.quiet)(target);
    }
    for (const way of ways.filter(({ target }) => target.kind !== "log group")) {
      way.rules.forEach(rule);
      queue(way.target);
      const last = ways.findLast(({ consumer }) => consumer === way.consumer);
      if (way.consumer && way === last) node(way.consumer);
    }
    others.forEach(node);
    return y - SIZES.gap + 14 - top;
  }

  arrival(edge, bus) {
    const all = this.arriving(this.model.byId.get(edge.to));
    return bus.y + (bus.h * (all.indexOf(edge) + 1)) / (all.length + 1);
  }

  line({ kind }, from, to) {
    if (kind === "dead-letters") return around(from, to, to.right + 6);
    if (kind === "matches") return upright(from.x + 9, from.bottom, to.middleY, to.x);
    if (kind === "receives" && to.x < from.x) return around(from, to, from.right + 13);
    if (kind === "commits" && from.y > to.y)
      return level(from.x, from.middleY, SIZES.edge / 2, to.middleY, to.x);
    if (to.x >= from.right && from.y === to.y) return straight(from, to, from.middleY);
    // left of what hangs between
    if (to.y > from.y) return upright(to.x + to.w * 0.13, from.bottom, to.y);
    return null;
  }
}

/** Out at the right, down, and in again at the right. */
const around = (from, to, x) => level(from.right, from.middleY, x, to.middleY, to.right);
