/** The console's backend: reads, and actions with the token that only the console's own page can read. */

/** What went wrong, as a title and a sentence. `status` is 0 when there was no answer. */
export class Problem extends Error {
  constructor(title, detail, status = 0) {
    super(detail ? `${title}: ${detail}` : title);
    Object.assign(this, { title, detail, status });
  }
}

/**
 * @typedef {object} Api
 * @property {() => Promise<any>} about what the backend says of itself; asked once
 * @property {(path: string) => Promise<any>} get raises Problem
 * @property {(path: string, body?: any) => Promise<any>} post raises Problem
 * @property {(path: string) => Promise<any>} remove raises Problem
 */

/** @returns {Api} */
export function createApi() {
  let known = null;
  const about = () =>
    (known ??= ask("GET", "/api/about").catch((error) => {
      known = null;
      throw error;
    }));

  /** A console that was restarted has another token, and has done nothing when it says 403: get the new one, and retry. */
  async function act(method, path, body) {
    const first = (await about()).token;
    try {
      return await ask(method, path, body, first);
    } catch (error) {
      if (error.status !== 403) throw error;
      known = null;
      const second = (await about()).token;
      if (second === first) throw error;
      return await ask(method, path, body, second);
    }
  }

  return {
    about,
    get: (path) => ask("GET", path),
    post: (path, body) => act("POST", path, body),
    remove: (path) => act("DELETE", path),
  };
}

async function ask(method, path, body, token) {
  const headers = { Accept: "application/json" };
  if (token) headers["X-Console-Token"] = token;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const sent = { method, headers, body: JSON.stringify(body), cache: "no-store" };
  const answer = await fetch(path, sent).catch(() => {
    throw new Problem(
      "The console does not answer",
      "is it running? It is tried again when you ask again.",
    );
  });
  const read = await answer.json().catch(() => null);
  if (answer.ok && read !== null) return read;
  const title = read?.title ?? `The console answered ${answer.status}`;
  throw new Problem(title, read?.detail ?? "", answer.status);
}
