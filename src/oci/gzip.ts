import { pipeline } from 'node:stream/promises'

/** Compresses in constant memory. The bytes depend on zlib's version: only what is inside is promised to stay. */
export async function* gzip(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // Loaded late: most commands write no layer.
  const { createGzip } = await import('node:zlib')
  const codec = createGzip({ level: 6 })
  const done = pipeline(copied(chunks), codec)
  // Awaited below; a failure before that reaches the reader through the codec, which is destroyed with it.
  done.catch(() => undefined)
  yield* codec
  await done
}

/** zlib may read a chunk when the next is asked for already, and then its memory may hold other bytes. */
async function* copied(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) yield Buffer.from(chunk)
}
