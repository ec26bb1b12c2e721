/** Boxes, lines and rounded corners. */

/**
 * @typedef {{x: number, y: number, w: number, h: number, style: string}} Box
 * @typedef {[number, number]} Point
 * @typedef {object} Drawing
 * @property {number} width
 * @property {number} height
 * @property {{domain: any, x: number, y: number, w: number, h: number}[]} lanes
 * @property {Map<string, Box>} boxes by node
 * @property {Map<string, Point[]>} lines by edge
 * @property {Set<string>} named edges that carry what passes as text at their end
 * @property {Map<string, number>} taken edges between domains, with their track
 * @property {boolean} [bare] only straight lines have room for a label
 */

export const left = (box) => box.x;
export const right = (box) => box.x + box.w;
export const bottom = (box) => box.y + box.h;
export const middleX = (box) => box.x + box.w / 2;
export const middleY = (box) => box.y + box.h / 2;

/** Points as an SVG path with round corners of `radius` px. */
export function rounded(points, radius = 9) {
  const tidy = points.filter(
    ([x, y], i) => i === 0 || Math.hypot(x - points[i - 1][0], y - points[i - 1][1]) > 0.5,
  );
  let path = `M${tidy[0].join(" ")}`;
  for (let i = 1; i < tidy.length - 1; i += 1) {
    const [before, corner, after] = [tidy[i - 1], tidy[i], tidy[i + 1]];
    const start = towards(corner, before, radius);
    const end = towards(corner, after, radius);
    path += `L${start.join(" ")}Q${corner.join(" ")} ${end.join(" ")}`;
  }
  return `${path}L${tidy.at(-1).join(" ")}`;
}

function towards([x, y], [tx, ty], most) {
  const length = Math.hypot(tx - x, ty - y);
  const part = Math.min(most, length / 2) / (length || 1);
  return [round(x + (tx - x) * part), round(y + (ty - y) * part)];
}

/** The longest straight piece of a line: where a label has room. */
export function longest(points) {
  let best = [points[0], points[1]];
  for (let i = 1; i < points.length; i += 1)
    if (length(points[i - 1], points[i]) > length(...best)) best = [points[i - 1], points[i]];
  return best;
}

export const length = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** From side to side with one step between, for what no layout knows better. */
export function elbow(from, to) {
  if (right(from) <= left(to)) {
    const x = (right(from) + left(to)) / 2;
    return [
      [right(from), middleY(from)],
      [x, middleY(from)],
      [x, middleY(to)],
      [left(to), middleY(to)],
    ];
  }
  if (left(from) >= right(to)) {
    const x = (left(from) + right(to)) / 2;
    return [
      [left(from), middleY(from)],
      [x, middleY(from)],
      [x, middleY(to)],
      [right(to), middleY(to)],
    ];
  }
  const down = from.y < to.y;
  const [a, b] = down ? [bottom(from), to.y] : [from.y, bottom(to)];
  return [
    [middleX(from), a],
    [middleX(from), (a + b) / 2],
    [middleX(to), (a + b) / 2],
    [middleX(to), b],
  ];
}

/** Which track of the channel beside the lanes each edge between domains takes: the shortest reach stays innermost. */
export function tracks(model) {
  const at = new Map(model.domains.map((domain, i) => [domain.name, i]));
  const reach = (edge) =>
    Math.abs(at.get(model.byId.get(edge.from).domain) - at.get(model.byId.get(edge.to).domain));
  const sorted = [...model.between].sort((a, b) => reach(a) - reach(b));
  return new Map(sorted.map((edge, i) => [edge.id, i]));
}

/** A dead-letter queue's box beneath its host; returns how much room it takes. */
export function hang(boxes, model, host, sizes) {
  let y = bottom(boxes.get(host.id)) + 5;
  let taken = 0;
  for (const [id, under] of model.hostOf) {
    if (under !== host) continue;
    const box = boxes.get(host.id);
    const indent = sizes.indent ? box.w * sizes.indent : 12;
    boxes.set(id, { x: box.x + indent, y, w: box.w - indent, h: sizes.chip, style: "chip" });
    y += sizes.chip + 4;
    taken += sizes.chip + 5;
  }
  return taken;
}

/** The dotted line by which a dead-letter queue hangs. */
export function hanging(host, chip) {
  const x = left(chip) - 7;
  return [
    [x, bottom(host)],
    [x, middleY(chip)],
    [left(chip), middleY(chip)],
  ];
}

export const round = (number) => Math.round(number * 10) / 10;
