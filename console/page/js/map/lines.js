/** The edges, as SVG: a line, a head, and what passes by each second. */

import { s, setAttribute, setText } from "../dom.js";
import { rate } from "../format.js";
import { longest, length, rounded } from "./geometry.js";

/**
 * @typedef {object} Lines
 * @property {(rates: Record<string, number>) => void} show
 * @property {Map<string, SVGPathElement>} paths by edge
 */

/** Draw every edge of a drawing into `svg`. @returns {Lines} */
export function drawLines(svg, model, drawing) {
  const paths = new Map();
  const labels = new Map();
  const under = s("g", {});
  const over = s("g", {});
  const words = s("g", {});
  for (const edge of model.edges) {
    const points = drawing.lines.get(edge.id) ?? [];
    if (points.length < 2) continue;
    const between = drawing.taken.has(edge.id);
    const style = `d${model.byId.get(edge.from).index} ${edge.kind}${between ? " between" : ""}`;
    const d = rounded(points, edge.kind === "dead-letters" ? 4 : 10);
    if (between) over.append(s("path", { class: "halo", d }));
    const path = s("path", { class: `line ${style}`, d });
    (between ? over : under).append(path);
    if (edge.kind !== "dead-letters")
      (between ? over : under).append(s("path", { class: `arrow ${style}`, d: head(points) }));
    paths.set(edge.id, path);
    const label = write(edge, points, drawing, style);
    if (label) {
      words.append(label);
      labels.set(edge.id, label);
    }
  }
  svg.append(under, over, words);
  return { paths, show: (rates) => show(rates, model, paths, labels, drawing) };
}

/** A small triangle where the line ends, along its last piece. */
function head(points) {
  const [[ax, ay], [x, y]] = points.slice(-2);
  const far = Math.hypot(x - ax, y - ay) || 1;
  const [ux, uy] = [(x - ax) / far, (y - ay) / far];
  return `M${x} ${y}L${x - ux * 7 - uy * 3.6} ${y - uy * 7 + ux * 3.6}L${x - ux * 7 + uy * 3.6} ${y - uy * 7 - ux * 3.6}Z`;
}

/** Where a label is: above a level piece, beside an upright one, and for what comes from another domain where it arrives. */
function write(edge, points, drawing, style) {
  if (edge.kind === "dead-letters") return null;
  if (drawing.named.has(edge.id)) {
    const [x, y] = points.at(-1);
    return s("text", { class: `passing ${style}`, x: x + 12, y: y - 7 });
  }
  const [a, b] = longest(points);
  if (length(a, b) < 20 || (drawing.bare && points.length > 2)) return null;
  const level = Math.abs(a[1] - b[1]) < 1;
  if (level && length(a, b) < 34) return null;
  return level
    ? s("text", {
        class: `rate ${style}`,
        x: (a[0] + b[0]) / 2,
        y: a[1] - 6,
        "text-anchor": "middle",
      })
    : s("text", { class: `rate ${style}`, x: a[0] + 6, y: (a[1] + b[1]) / 2 + 4 });
}

function show(rates, model, paths, labels, drawing) {
  for (const [id, path] of paths) {
    const now = rate(rates[id]);
    setAttribute(path, "data-flows", now ? "yes" : null);
    const label = labels.get(id);
    if (!label) continue;
    const edge = model.edgeById.get(id);
    const types = edge.detailTypes.join(", ") || "every event";
    setText(label, drawing.named.has(id) ? [types, now].filter(Boolean).join(" · ") : (now ?? ""));
  }
}
