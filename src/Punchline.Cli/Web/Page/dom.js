// Elements from data. Text only ever becomes text nodes: whatever a peer writes, it is shown, never run.

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `on…` are listeners; true and false set and leave out.
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/**
 * A part of a drawing.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...Node} children
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * Writes text where it is another: what is written anew is read aloud anew.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes a list's children follow its items. What stays keeps its element, and so focus and open details.
 * @template T
 * @param {Element} list
 * @param {Iterable<T>} items
 * @param {(item: T) => string | number} keyOf
 * @param {(item: T) => HTMLElement} create
 * @param {(element: HTMLElement, item: T) => void} update
 */
export function follow(list, items, keyOf, create, update) {
  const old = new Map([...list.children].map(child => [/** @type {HTMLElement} */ (child).dataset.key, /** @type {HTMLElement} */ (child)]));
  let place = list.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let element = old.get(key);
    old.delete(key);
    if (!element) {
      element = create(item);
      element.dataset.key = key;
    }
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
  }
  for (const element of old.values()) element.remove();
}

/**
 * A button that copies a text, and says so.
 * @param {string} label What is copied, for whoever does not see where the button is.
 * @param {() => string} text
 */
export function copyButton(label, text) {
  const button = el("button", { type: "button", class: "quiet", "aria-label": `Copy ${label}`, onclick: copy }, "Copy");
  async function copy() {
    await navigator.clipboard.writeText(text());
    say(button, "Copied");
    setTimeout(() => say(button, "Copy"), 2000);
  }
  return button;
}

/** @param {string} peer */
export const shortId = peer => `${peer.slice(0, 8)}…`;
