// What the page asks of the punchline that it belongs to. The cookie is only half of what opens it; the other half, the
// key, is kept here for this origin, which unlike a cookie is not shared with other ports.

const keyName = "punchline-key";

/** Why something was not done, in a sentence. */
export class Refusal extends Error {
  /**
   * @param {string} message
   * @param {number} status 0: there was no answer.
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Exchanges the token behind #, if there is one, and takes it out of the address and the history. */
export async function open() {
  const token = location.hash.slice(1);
  if (!/^[\w-]{43}$/.test(token)) return;
  history.replaceState(null, "", "/");
  const answer = await post("/api/open", { token });
  localStorage.setItem(keyName, answer.key);
}

/**
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function post(path, body) {
  const response = await ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}

/**
 * The stream of what happens, as objects, until it breaks.
 * @param {string} run Whose events were seen; empty: none.
 * @param {number} after The last of them.
 */
export async function* events(run, after) {
  const response = await ask(`/api/events?run=${run}&after=${after}`, {});
  const reader = /** @type {ReadableStream<any>} */ (response.body).pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = /** @type {string} */ (lines.pop());
    for (const line of lines) yield JSON.parse(line);
  }
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function ask(path, options) {
  const headers = { ...options.headers, "X-Punchline-Key": localStorage.getItem(keyName) ?? "" };
  const response = await fetch(path, { ...options, headers }).catch(() => {
    throw new Refusal("punchline does not run any more.", 0);
  });
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new Refusal(answer.error ?? `That did not work (${response.status}).`, response.status);
}
