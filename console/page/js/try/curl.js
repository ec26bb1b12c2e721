/** A request as a line for a shell, as the backend writes it when it has been sent. */

/**
 * @param {{method: string, url: string, headers?: Record<string, string>, body: string, options?: string[]}} request
 *   `body` is JSON; `options` are curl's own, written for a shell already
 */
export function curl({ method, url, headers = {}, body, options = [] }) {
  const words = ["curl", "-s", ...options, "-X", method, quoted(url)];
  for (const header of Object.entries({ "Content-Type": "application/json", ...headers }))
    words.push("-H", quoted(header.join(": ")));
  return [...words, "-d", quoted(body)].join(" ");
}

/** A flat object as JSON with a space after each colon and comma: what goes over the wire. */
export function flatJson(fields) {
  return `{${Object.entries(fields)
    .map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(", ")}}`;
}

/** Quoted only where a shell would read something into it. */
function quoted(text) {
  return /^[A-Za-z0-9_.:/@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}
