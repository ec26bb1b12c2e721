/** Boxes, lines of level and upright pieces, and their rounded corners. */

/**
 * @typedef {{x: number, y: number, w: number, h: number, right: number, bottom: number, middleX: number, middleY: number}} Box
 * @typedef {[number, number]} Point
 */

/** @returns {Box} */
export const box = (x, y, w, h) => ({
  x,
  y,
  w,
  h,
  right: x + w,
  bottom: y + h,
  middleX: x + w / 2,
  middleY: y + h / 2,
});

/** A line from a point: level to an x, upright to a y, and so on. @returns {Point[]} */
export const level = (x, y, ...turns) => pieces([x, y], turns, 0);

/** A line from a point: upright to a y, level to an x, and so on. @returns {Point[]} */
export const upright = (x, y, ...turns) => pieces([x, y], turns, 1);

function pieces(start, turns, axis) {
  const points = [start];
  turns.forEach((turn, i) => points.push(points.at(-1).with((axis + i) % 2, turn)));
  return points;
}

/** The sides of two boxes, beside each other, that face each other. */
const sides = (from, to) => (from.right <= to.x ? [from.right, to.x] : [from.x, to.right]);

/** From side to side at one height. */
export function straight(from, to, y) {
  const [start, end] = sides(from, to);
  return level(start, y, end);
}

/** From side to side with one step between, for what no layout knows better. */
export function elbow(from, to) {
  if (from.right <= to.x || from.x >= to.right) {
    const [start, end] = sides(from, to);
    return level(start, from.middleY, (start + end) / 2, to.middleY, end);
  }
  const [start, end] = from.y < to.y ? [from.bottom, to.y] : [from.y, to.bottom];
  return upright(from.middleX, start, (start + end) / 2, to.middleX, end);
}

/** Points as an SVG path with round corners of `radius` px. */
export function rounded(points, radius) {
  const tidy = points.filter(([x, y], i) => i === 0 || length(points[i - 1], [x, y]) > 0.5);
  let path = `M${tidy[0].join(" ")}`;
  for (let i = 1; i < tidy.length - 1; i += 1) {
    const corner = tidy[i];
    const start = towards(corner, tidy[i - 1], radius);
    const end = towards(corner, tidy[i + 1], radius);
    path += `L${start.join(" ")}Q${corner.join(" ")} ${end.join(" ")}`;
  }
  return `${path}L${tidy.at(-1).join(" ")}`;
}

function towards([x, y], [tx, ty], most) {
  const far = length([x, y], [tx, ty]);
  const part = Math.min(most, far / 2) / (far || 1);
  return [round(x + (tx - x) * part), round(y + (ty - y) * part)];
}

const round = (number) => Math.round(number * 10) / 10;

/** The longest straight piece of a line: where a label has room. */
export function longest(points) {
  let best = [points[0], points[1]];
  for (let i = 1; i < points.length; i += 1)
    if (length(points[i - 1], points[i]) > length(...best)) best = [points[i - 1], points[i]];
  return best;
}

export const length = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
