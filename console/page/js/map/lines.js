/** The edges, as SVG: a line, a head, and what passes by each second. */

import { s, setText } from "../dom.js";
import { rate } from "../format.js";
import { longest, length, rounded } from "./geometry.js";

/**
 * Draw every edge of a drawing into `svg`.
 * @returns {{paths: Map<string, SVGPathElement>, show: (rates: Record<string, number>) => void}} paths by edge
 */
export function drawLines(svg, model, drawing) {
  const paths = new Map();
  const labels = [];
  const [under, over, words] = [s("g"), s("g"), s("g")];
  for (const edge of model.edges) {
    const points = drawing.lines.get(edge.id);
    if (!points) continue;
    const between = drawing.taken.has(edge.id);
    const layer = between ? over : under;
    const style = `.d${model.byId.get(edge.from).index}.${edge.kind}${between ? ".between" : ""}`;
    const d = rounded(points, edge.kind === "dead-letters" ? 4 : 10);
    const path = s(`path.line${style}`, { d });
    paths.set(edge.id, path);
    if (between) layer.append(s("path.halo", { d }));
    layer.append(path);
    if (edge.kind === "dead-letters") continue;
    layer.append(s(`path.arrow${style}`, { d: head(points) }));
    const label = labelOf(edge, points, drawing);
    if (!label) continue;
    const text = s(`text.${label.kind}${style}`, label.at);
    labels.push({ id: edge.id, text, types: label.types });
    words.append(text);
  }
  svg.append(under, over, words);
  return { paths, show: (rates) => show(rates, paths, labels) };
}

/** A small triangle where the line ends, along its last piece. */
function head(points) {
  const [[ax, ay], [x, y]] = points.slice(-2);
  const far = length([ax, ay], [x, y]) || 1;
  const [ux, uy] = [(x - ax) / far, (y - ay) / far];
  return `M${x} ${y}L${x - ux * 7 - uy * 3.6} ${y - uy * 7 + ux * 3.6}L${x - ux * 7 + uy * 3.6} ${y - uy * 7 - ux * 3.6}Z`;
}

/** What is written at a line: what passes, where it arrives from another domain; else how much, where there is room. */
function labelOf(edge, points, { taken, bare }) {
  if (taken.has(edge.id) && !bare) {
    const [x, y] = points.at(-1);
    const types = edge.detailTypes.join(", ") || "every event";
    return { kind: "passing", at: { x: x + 12, y: y - 7 }, types };
  }
  const at = bare && points.length > 2 ? null : roomAt(...longest(points));
  return at && { kind: "rate", at, types: null };
}

/** Above a level piece, beside an upright one. */
function roomAt(a, b) {
  const far = length(a, b);
  const isLevel = Math.abs(a[1] - b[1]) < 1;
  if (far < (isLevel ? 34 : 20)) return null;
  return isLevel
    ? { x: (a[0] + b[0]) / 2, y: a[1] - 6, "text-anchor": "middle" }
    : { x: a[0] + 6, y: (a[1] + b[1]) / 2 + 4 };
}

function show(rates, paths, labels) {
  for (const [id, path] of paths) path.toggleAttribute("data-flows", rate(rates[id]) !== null);
  for (const { id, text, types } of labels)
    setText(text, [types, rate(rates[id])].filter(Boolean).join(" · "));
}
