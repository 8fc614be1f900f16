import { connect } from 'node:net'

/** A load that ends: so many requests over so many connections, each of which sends the next when it has its answer. */
export interface Load {
  readonly port: number
  readonly path: string
  readonly requests: number
  readonly connections: number
}

/** What came of it; times in milliseconds. */
export interface LoadResult {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly perSecond: number
  /** Answers that were not 200. */
  readonly errors: number
}

const BODY = '{"instances":[[0.1,0.2,0.3,0.4]]}'

/** Runs a load and measures it. Rejects where a connection breaks. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const times: number[] = []
  const left = { requests: load.requests, errors: 0 }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: load.connections }, (_, index) => runConnection(load, index, left, times)))
  const perSecond = (load.requests / (performance.now() - startedAt)) * 1000
  const sorted = Float64Array.from(times).sort()
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
  return { p50Ms: at(0.5), p99Ms: at(0.99), perSecond, errors: left.errors }
}

function runConnection(
  { port, path }: Load,
  index: number,
  left: { requests: number; errors: number },
  times: number[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    let sentAt = 0
    let count = 0
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const send = (): void => {
      if (left.requests === 0) return void socket.end()
      left.requests -= 1
      count += 1
      sentAt = performance.now()
      const entity = `x-regatta-entity: user-${index}-${count % 100}`
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${entity}\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
      )
    }
    socket.setEncoding('latin1')
    socket.on('connect', send)
    socket.on('data', chunk => {
      text += String(chunk)
      const end = text.indexOf('\r\n\r\n')
      if (end === -1) return
      const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
      if (text.length < end + 4 + length) return
      times.push(performance.now() - sentAt)
      if (!text.startsWith('HTTP/1.1 200')) left.errors += 1
      text = ''
      send()
    })
    socket.on('error', reject)
    socket.on('close', () => (left.requests === 0 ? resolve() : reject(new Error('The server closed a connection'))))
  })
}
