// The line that others are told to type, read back: punchline join ROOM --server HOST:PORT#PIN --secret TEXT, or with --dht, or without either on one network.

/**
 * @param {string} text What was pasted.
 * @returns {{ room: string, place: string, server?: string, secret?: string } | null} Null: it is something else.
 */
export function read(text) {
  const words = [...text.trim().matchAll(/'((?:[^']|'\\'')*)'|(\S+)/g)].map(([, quoted, plain]) => quoted?.replaceAll("'\\''", "'") ?? plain);
  const [program, verb, room, ...options] = words;
  if (program !== "punchline" || verb !== "join" || !room || room.startsWith("--")) return null;
  const valueOf = (/** @type {string} */ option) => (options.includes(option) ? options[options.indexOf(option) + 1] : undefined);
  const server = valueOf("--server");
  return { room, place: server ? "server" : options.includes("--dht") ? "dht" : "lan", server, secret: valueOf("--secret") };
}
