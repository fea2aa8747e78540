/** The element of the page with the given id. */
export function element<T extends Element>(id: string, type: abstract new (...args: never[]) => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${type.name} "${id}"`);
}

/** The elements of the page that a selector finds. */
export function elements<T extends Element>(selector: string, type: abstract new (...args: never[]) => T): T[] {
  return [...document.querySelectorAll(selector)].filter((found): found is T => found instanceof type);
}

/** Makes an HTML element with a class and what is in it. */
export function html(name: string, className: string, children: readonly (Node | string)[] = []): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

/** Sends JSON to the page's own server. */
export function post(path: string, body: object): Promise<Response> {
  return fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}
