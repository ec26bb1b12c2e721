/** The system as the map needs it: for each domain the way out to its bus, and the ways back in. Knows kinds, not names. */

/**
 * @typedef {{id: string, kind: string, name: string, domain: string, index: number}} MapNode `index` is its domain's
 * @typedef {{id: string, kind: string, from: string, to: string, detailTypes: string[]}} Edge
 * @typedef {{rules: MapNode[], target: MapNode, consumer: MapNode|null}} Way from a bus, through rules, to a queue or a log group
 * @typedef {object} Domain
 * @property {string} name
 * @property {number} index
 * @property {MapNode[][]} chain what an event passes on its way out, step by step
 * @property {MapNode|null} bus
 * @property {MapNode[]} crossing rules that lead to another domain's bus
 * @property {Way[]} ways
 * @property {MapNode[]} others what has none of these parts
 * @typedef {object} Model
 * @property {Domain[]} domains
 * @property {MapNode[]} nodes
 * @property {Map<string, MapNode>} byId
 * @property {Edge[]} edges
 * @property {Map<string, Edge>} edgeById
 * @property {Map<string, MapNode>} hostOf a dead-letter queue's id, to what it hangs beneath
 * @property {Edge[]} between the edges from a rule to another domain's bus
 * @property {(eventType: string) => number} indexOfType its domain's
 */

/** @returns {Model} */
export function readMap({ domains, nodes: given, edges, routes }) {
  const index = (domain) => Math.max(0, domains.indexOf(domain)) % 6;
  const nodes = given.map((node) => ({ ...node, index: index(node.domain) }));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const between = edges.filter(
    ({ kind, from, to }) =>
      kind === "delivers" &&
      byId.get(to).kind === "bus" &&
      byId.get(from).domain !== byId.get(to).domain,
  );
  const system = { nodes, byId, edges, between };
  return {
    ...system,
    edgeById: new Map(edges.map((edge) => [edge.id, edge])),
    hostOf: hosts(system),
    domains: domains.map((name) => domain(name, index(name), system)),
    indexOfType: (eventType) => index(routes[eventType]?.domain),
  };
}

function domain(name, index, { nodes, byId, edges, between }) {
  const mine = nodes.filter((node) => node.domain === name && node.kind !== "dead-letter queue");
  const bus = mine.find((node) => node.kind === "bus") ?? null;
  const chain = wayOut(mine, edges, byId);
  const crossing = mine.filter((node) => between.some((edge) => edge.from === node.id));
  const out = new Set(chain.flat());
  const ways = waysIn(mine, edges, byId, out);
  const parts = ways.flatMap((way) => [...way.rules, way.target, way.consumer]);
  const placed = new Set([bus, ...out, ...crossing, ...parts]);
  const others = mine.filter((node) => !placed.has(node));
  return { name, index, chain, bus, crossing, ways, others };
}

/** Steps by their longest way from where something begins: several nodes may share a step. */
function wayOut(mine, edges, byId) {
  const here = new Set(mine);
  const leads = edges.filter(({ kind, from, to }) => {
    const [a, b] = [byId.get(from), byId.get(to)];
    if (!here.has(a) || !here.has(b)) return false;
    return (
      (kind === "commits" && a.kind === "api") ||
      kind === "stream" ||
      kind === "sends" ||
      (kind === "receives" && b.kind === "relay")
    );
  });
  const first = mine.filter((node) => ["api", "outbox", "relay"].includes(node.kind));
  const rank = new Map(first.map((node) => [node.id, 0]));
  for (let round = 0; round < mine.length; round += 1)
    // a way is no longer than the nodes there are, so a circle ends
    for (const { from, to } of leads)
      rank.set(to, Math.max(rank.get(to) ?? 0, (rank.get(from) ?? 0) + 1));
  const steps = [];
  for (const node of mine) if (rank.has(node.id)) (steps[rank.get(node.id)] ??= []).push(node);
  return steps.filter(Boolean);
}

function waysIn(mine, edges, byId, out) {
  const targets = mine.filter(
    (node) => (node.kind === "queue" || node.kind === "log group") && !out.has(node),
  );
  const ways = targets.map((target) => ({
    target,
    rules: edges
      .filter((edge) => edge.kind === "delivers" && edge.to === target.id)
      .map((edge) => byId.get(edge.from))
      .filter((rule) => mine.includes(rule)),
    consumer:
      byId.get(edges.find((edge) => edge.kind === "receives" && edge.from === target.id)?.to) ??
      null,
  }));
  const order = (way) => (way.consumer ? mine.indexOf(way.consumer) : mine.length);
  return ways.sort((a, b) => order(a) - order(b));
}

/** A dead-letter queue hangs beneath the queue that feeds it, else beneath a process, else beneath a rule. */
function hosts({ nodes, byId, edges }) {
  const found = new Map();
  for (const node of nodes.filter((each) => each.kind === "dead-letter queue")) {
    const feeding = edges
      .filter((edge) => edge.kind === "dead-letters" && edge.to === node.id)
      .map((edge) => byId.get(edge.from));
    const host =
      feeding.find((each) => each.kind === "queue") ??
      feeding.find((each) => each.kind !== "rule") ??
      feeding[0];
    if (host) found.set(node.id, host);
  }
  return found;
}
