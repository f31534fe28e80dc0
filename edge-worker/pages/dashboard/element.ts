/** Making and finding elements. */

/** Finds an element of the page by its id and type; throws where the page does not have it. */
export function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) {
    throw new TypeError(`the page has no ${type.name} #${id}`);
  }
  return found;
}

/** Makes an element with properties and children; text is never read as markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: { readonly className?: string; readonly scope?: 'col' | 'row' } = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (properties.className !== undefined && properties.className !== '') {
    made.className = properties.className;
  }
  if (properties.scope !== undefined) {
    made.setAttribute('scope', properties.scope);
  }
  made.append(...children);
  return made;
}

/** Offers choices in a select; what was chosen stays chosen where it still exists, else `chosen`. */
export function offer(
  select: HTMLSelectElement,
  choices: readonly (readonly [value: string, text: string])[],
  chosen = select.value,
): void {
  const before = [...select.options].map(({ value, text }) => `${value}=${text}`).join();
  if (before === choices.map(([value, text]) => `${value}=${text}`).join()) {
    return;
  }
  select.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
  select.value = choices.some(([value]) => value === chosen) ? chosen : (choices[0]?.[0] ?? '');
}
