/** Events that travel: dots along the lines, drawn on one canvas over the map. At most MOST at a time, none in a hidden tab. */

const MOST = 150;
const STEP = 5; // px between the points that a line is sampled at
const SPEED = 0.55; // px a ms
const [LEAST_MS, LONGEST_MS] = [220, 900];
const LIT_MS = 900;
const [CALM, CALM_FRAME_MS] = [40, 30]; // with more dots than that, every second frame of a usual screen is enough

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{model: any, drawing: any, lines: any}} map
 * @returns {{event: (event: any) => void, end: () => void}}
 */
export function createPulses(canvas, { model, drawing, lines }) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const sampled = new Map();
  const colours = new Map();
  let running = [];
  let lit = 0;
  let frame = 0;
  let drawn = 0;
  const pen = canvas.getContext("2d");
  const scale = Math.min(2, devicePixelRatio || 1);
  canvas.width = Math.round(drawing.width * scale);
  canvas.height = Math.round(drawing.height * scale);
  canvas.style.width = `${drawing.width}px`;
  canvas.style.height = `${drawing.height}px`;

  function points(id) {
    if (!sampled.has(id)) sampled.set(id, sample(lines.paths.get(id)));
    return sampled.get(id);
  }

  function event({ edges, handled }) {
    if (document.hidden) return;
    const ids = [...handled, ...edges].filter((id) => lines.paths.has(id));
    if (still.matches) {
      new Set(ids).forEach(light);
      return;
    }
    const now = performance.now();
    const dots = schedule(ids, model, points).map(({ id, at, ms }) => ({
      points: points(id),
      colour: colourOf(id),
      from: now + at,
      ms,
    }));
    running.push(...dots.slice(0, Math.max(0, MOST - running.length)));
    if (!frame && running.length) frame = requestAnimationFrame(draw);
  }

  function draw(now) {
    if (running.length > CALM && now - drawn < CALM_FRAME_MS && !document.hidden) {
      frame = requestAnimationFrame(draw);
      return;
    }
    drawn = now;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, drawing.width, drawing.height);
    running = running.filter((dot) => now < dot.from + dot.ms);
    for (const dot of running) if (now >= dot.from) paint(dot, (now - dot.from) / dot.ms);
    frame = running.length && !document.hidden ? requestAnimationFrame(draw) : 0;
    if (!frame) {
      running = [];
      pen.clearRect(0, 0, drawing.width, drawing.height);
    }
  }

  function paint({ points: along, colour }, part) {
    const [x, y] = along[Math.min(along.length - 1, Math.floor(part * along.length))];
    pen.fillStyle = colour;
    pen.globalAlpha = 0.22;
    dot(x, y, 7);
    pen.globalAlpha = 1;
    dot(x, y, 3.4);
  }

  function dot(x, y, radius) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 6.2832);
    pen.fill();
  }

  /** Without motion: the line is lit for a moment instead. */
  function light(id) {
    const path = lines.paths.get(id);
    if (path.dataset.lit || lit >= MOST) return;
    lit += 1;
    path.dataset.lit = "yes";
    setTimeout(() => {
      delete path.dataset.lit;
      lit -= 1;
    }, LIT_MS);
  }

  /** A colour is its line's; it is read again when the theme changes. */
  function colourOf(id) {
    if (!colours.has(id)) colours.set(id, getComputedStyle(lines.paths.get(id)).color);
    return colours.get(id);
  }
  const themes = new MutationObserver(() => colours.clear());
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });

  return {
    event,
    end: () => {
      cancelAnimationFrame(frame);
      themes.disconnect();
      running = [];
    },
  };
}

/** When each edge begins: as soon as a dot has reached where it starts; at once where none comes. */
function schedule(ids, model, points) {
  const reached = new Map();
  const plan = [];
  for (const id of new Set(ids)) {
    const edge = model.edgeById.get(id);
    const at = reached.get(edge.from) ?? 0;
    const ms = Math.min(LONGEST_MS, Math.max(LEAST_MS, (points(id).length * STEP) / SPEED));
    plan.push({ id, at, ms });
    if (!reached.has(edge.to)) reached.set(edge.to, at + ms);
  }
  return plan;
}

function sample(path) {
  const length = path.getTotalLength();
  const found = [];
  for (let at = 0; at <= length; at += STEP) {
    const { x, y } = path.getPointAtLength(at);
    found.push([x, y]);
  }
  return found;
}
