// The line that others are told to type, read back: punchline join ROOM --server HOST:PORT#PIN --secret TEXT.

/**
 * @param {string} text What was pasted.
 * @returns {{ room: string, server?: string, secret?: string } | null} Null: it is something else.
 */
export function read(text) {
  const words = [...text.trim().matchAll(/'((?:[^']|'\\'')*)'|(\S+)/g)].map(([, quoted, plain]) => quoted?.replaceAll("'\\''", "'") ?? plain);
  const [program, verb, room, ...options] = words;
  if (program !== "punchline" || verb !== "join" || !room || room.startsWith("--")) return null;
  const valueOf = (/** @type {string} */ option) => (options.includes(option) ? options[options.indexOf(option) + 1] : undefined);
  return { room, server: valueOf("--server"), secret: valueOf("--secret") };
}
