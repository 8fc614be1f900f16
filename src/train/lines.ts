const MAX_LINE = 64 * 1024

/** Cuts a stream of UTF-8 bytes into lines; a carriage return ends one too, so that progress bars do not pile up. */
export class LineSplitter {
  readonly #decoder = new TextDecoder()
  #rest = ''
  #afterReturn = false

  /** The lines that these bytes complete. A line of more than 64 Ki characters comes in pieces. */
  push(chunk: Uint8Array): string[] {
    return this.#split(this.#decoder.decode(chunk, { stream: true }))
  }

  /** The last line, where it has no end. */
  end(): string[] {
    const lines = this.#split(this.#decoder.decode())
    return this.#rest === '' ? lines : [...lines, this.#rest]
  }

  #split(text: string): string[] {
    if (text === '') return []
    // "\r\n" is one end even where it is cut in two.
    const fresh = this.#afterReturn && text.startsWith('\n') ? text.slice(1) : text
    this.#afterReturn = text.endsWith('\r')
    const lines = (this.#rest + fresh).split(/\r\n|\r|\n/)
    this.#rest = lines.pop() ?? ''
    while (this.#rest.length > MAX_LINE) {
      lines.push(this.#rest.slice(0, MAX_LINE))
      this.#rest = this.#rest.slice(MAX_LINE)
    }
    return lines
  }
}
