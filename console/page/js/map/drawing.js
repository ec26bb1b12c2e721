/**
 * What both layouts draw alike: domain beneath domain, each in a lane; dead-letter queues beneath what feeds them; and in a
 * channel at the right the edges between domains. A layout says where a lane has what (`lane` returns its height), at which
 * height an edge arrives from another domain, and how any other line runs, where `line` knows better than an elbow.
 */

import { box, elbow, level, upright } from "./geometry.js";

export class Drawing {
  /** @type {{domain: any, y: number, w: number, h: number}[]} */
  lanes = [];
  /** @type {Map<string, import("./geometry.js").Box & {style: string}>} by node */
  boxes = new Map();
  /** @type {Map<string, import("./geometry.js").Point[]>} by edge */
  lines = new Map();
  /** Whether only straight lines have room for a label. */
  bare = false;

  constructor(model, width, sizes) {
    this.model = model;
    this.width = width;
    this.sizes = sizes;
    this.taken = tracks(model);
    this.end = width - (this.taken.size ? this.taken.size * sizes.track + sizes.channel : 0);
  }

  draw() {
    let y = 0;
    for (const domain of this.model.domains) {
      const height = this.lane(domain, y);
      this.lanes.push({ domain, y, w: this.end, h: height });
      y += height + this.sizes.lanes;
    }
    this.height = y - this.sizes.lanes;
    for (const edge of this.model.edges) {
      const [from, to] = [this.boxes.get(edge.from), this.boxes.get(edge.to)];
      if (from && to) this.lines.set(edge.id, this.#route(edge, from, to));
    }
  }

  /** Put a node in its place, and its dead-letter queues beneath it; returns where those end. */
  place(node, x, y, w, h, style) {
    this.boxes.set(node.id, { ...box(x, y, w, h), style });
    const { chip, indent } = this.sizes;
    const hung = this.model.nodes.filter(({ id }) => this.model.hostOf.get(id) === node);
    const inner = Math.max(12, w * indent);
    hung.forEach((each, i) =>
      this.place(each, x + inner, y + h + 5 + i * (chip + 4), w - inner, chip, "chip"),
    );
    return y + h + hung.length * (chip + 5);
  }

  /** The edges from other domains to a bus. */
  arriving = (bus) => this.model.between.filter((edge) => edge.to === bus?.id);

  #route(edge, from, to) {
    if (this.taken.has(edge.id)) {
      const { channel, track } = this.sizes;
      const x = this.end + channel * 0.75 + this.taken.get(edge.id) * track;
      return level(from.right, from.middleY, x, this.arrival(edge, to), to.right);
    }
    if (this.model.hostOf.get(edge.to)?.id === edge.from)
      return upright(to.x - 7, from.bottom, to.middleY, to.x);
    return this.line(edge, from, to) ?? elbow(from, to);
  }
}

/** Which track of the channel each edge between domains takes: the shortest reach stays innermost. */
function tracks(model) {
  const at = new Map(model.domains.map((domain, i) => [domain.name, i]));
  const reach = (edge) =>
    Math.abs(at.get(model.byId.get(edge.from).domain) - at.get(model.byId.get(edge.to).domain));
  const sorted = [...model.between].sort((a, b) => reach(a) - reach(b));
  return new Map(sorted.map((edge, i) => [edge.id, i]));
}
