/** One answer of HTTP/1.1, whole. */
export interface HttpAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** Takes answers out of the bytes of a connection; says the wrong ones by throwing. */
export class AnswerReader {
  #rest: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
  }

  /** Whether bytes are left that are no whole answer. */
  get isPartial(): boolean {
    return this.#rest.length > 0
  }

  /** The next answer, or undefined where it is not whole yet; interim ones are left out. `isHead`: it has no body. */
  take(isHead: boolean): HttpAnswer | undefined {
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end === -1) return undefined
    const [line = '', ...lines] = this.#rest.subarray(0, end).toString('latin1').split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1])
    if (!(status >= 100)) throw new Error(`Not the first line of an answer: ${JSON.stringify(line.slice(0, 80))}`)
    const headers = new Map(lines.map(text => toHeader(text)))
    const start = end + 4
    if (status < 200) {
      this.#rest = this.#rest.subarray(start)
      return this.take(isHead)
    }
    const isBare = isHead || status === 204 || status === 304
    const body = isBare ? { bytes: Buffer.alloc(0), end: start } : this.#readBody(headers, start)
    if (body === undefined) return undefined
    this.#rest = this.#rest.subarray(body.end)
    return { status, headers, body: body.bytes }
  }

  #readBody(
    headers: HttpAnswer['headers'],
    start: number,
  ): { readonly bytes: Buffer; readonly end: number } | undefined {
    if (headers.get('transfer-encoding') === 'chunked') return readChunks(this.#rest, start)
    const end = start + Number(headers.get('content-length') ?? 0)
    return end > this.#rest.length ? undefined : { bytes: this.#rest.subarray(start, end), end }
  }
}

function toHeader(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}

function readChunks(bytes: Buffer, start: number): { readonly bytes: Buffer; readonly end: number } | undefined {
  const chunks: Buffer[] = []
  for (let at = start; ; ) {
    const line = bytes.indexOf('\r\n', at)
    if (line === -1) return undefined
    const length = Number.parseInt(bytes.toString('latin1', at, line), 16)
    const next = line + 2 + length + 2
    if (next > bytes.length) return undefined
    if (length === 0) return { bytes: Buffer.concat(chunks), end: next }
    chunks.push(bytes.subarray(line + 2, next - 2))
    at = next
  }
}
