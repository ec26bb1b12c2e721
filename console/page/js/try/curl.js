/** A request as a line for a shell, as the backend writes it when it has been sent. */

/**
 * @param {{method: string, url: string, headers: Record<string, string>, body: string|null,
 *   options: string[]}} request `options` are curl's own, written for a shell already
 */
export function curl({ method, url, headers, body, options }) {
  const words = ["curl", "-s", ...options, "-X", method, quoted(url)];
  for (const [name, value] of Object.entries(headers))
    words.push("-H", quoted(`${name}: ${value}`));
  if (body) words.push("-d", quoted(body));
  return words.join(" ");
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
