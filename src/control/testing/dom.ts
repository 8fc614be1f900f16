/** As much of a document as the page's script uses: elements by id, with text, children and listeners. */
export class PageElement {
  textContent = ''
  className = ''
  innerHTML = ''
  value = ''
  hidden = false
  children: PageElement[] = []
  readonly #listeners = new Map<string, (event: { preventDefault(): void }) => void>()

  get cells(): readonly PageElement[] {
    return this.children
  }

  insertCell(): PageElement {
    const cell = new PageElement()
    this.children.push(cell)
    return cell
  }

  replaceChildren(...children: PageElement[]): void {
    this.children = children
  }

  addEventListener(kind: string, listener: (event: { preventDefault(): void }) => void): void {
    this.#listeners.set(kind, listener)
  }

  /** Calls the listener of an event. */
  send(kind: string): void {
    this.#listeners.get(kind)?.({ preventDefault: () => {} })
  }

  focus(): void {}

  setAttribute(): void {}

  /** The text of this element and all below it. */
  get text(): string {
    return [this.textContent, ...this.children.map(child => child.text)].filter(text => text !== '').join(' | ')
  }
}

/** A document that has the elements of an HTML text which carry an id. */
export function toDocument(html: string): {
  title: string
  getElementById(id: string): PageElement | null
  createElement(): PageElement
} {
  const ids = [...html.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => id ?? '')
  const elements = new Map(ids.map(id => [id, new PageElement()]))
  return { title: '', getElementById: id => elements.get(id) ?? null, createElement: () => new PageElement() }
}
