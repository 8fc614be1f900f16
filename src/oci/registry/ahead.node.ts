import type { Digest } from '../../core/brands.ts'
import type { BlobWatch } from '../blobs.node.ts'
import type { Reference } from '../reference.ts'
import { fetchDigestIfAny } from './content.node.ts'
import { type Exchange, openExchange, type RegistryOptions } from './exchange.node.ts'
import { openGrowingFile } from './growing-file.node.ts'
import { abortSession, closeSession, moveSession, openSession, type Session } from './session.node.ts'
import { CONCURRENCY } from './transfer.ts'

/*
 * Sends blobs while they are written. The digest is not known before the end, so it is the upload of clients that
 * stream: POST, one PATCH without a range, PUT with the digest. Whatever fails is no failure of the push: the blob goes
 * with the image then, as any other does.
 */

/** Blobs on their way to a repository, ahead of the image that they are part of. Disposal ends what has not come. */
export interface Ahead extends AsyncDisposable {
  /** `REGISTRY/REPOSITORY`. */
  readonly home: string
  /**
   * Sends a blob of so many bytes that is about to be written, for an image that gets this tag. Nothing is sent where
   * the repository has the tag already: its image is most likely the same, and it has the blob. Undefined where as many
   * are on their way as may be at once: the network is slower than the disk, and this one goes with the image.
   */
  readonly follow: (tag: string, sizeBytes: number) => BlobWatch | undefined
  /**
   * Whether a blob has come this way, which is waited for. `onSent` is told how many of its bytes have been sent. Where
   * the push ends early by `signal`, so does all that is on its way.
   */
  readonly isSent: (digest: Digest, onSent: (sentBytes: number) => void, signal: AbortSignal) => Promise<boolean>
}

/** A blob on its way. */
interface Sending {
  /** Once it is written; undefined where it never will be. */
  readonly written: Promise<Digest | undefined>
  /** Whether it came. */
  readonly sent: Promise<boolean>
  onSent: (sentBytes: number) => void
}

/** Opens nothing before the first blob. */
export function openAhead(
  { registry, repository }: Pick<Reference, 'registry' | 'repository'>,
  options: RegistryOptions,
  signal: AbortSignal,
): Ahead {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const sendings: Sending[] = []
  let opened: Promise<Exchange> | undefined
  let underway = 0
  return {
    home: `${registry}/${repository}`,
    follow(tag, sizeBytes) {
      if (underway === CONCURRENCY) return undefined
      underway += 1
      const file = openGrowingFile(sizeBytes, either)
      opened ??= openExchange({ registry, repository, push: true }, options, either)
      const send = async (exchange: Exchange): Promise<boolean> => {
        if ((await fetchDigestIfAny(exchange, tag, either)) !== undefined) return false
        const onSent = (sentBytes: number): void => sending.onSent(sentBytes)
        await sendBlob(exchange, { sizeBytes, open: () => file.read(onSent), digest: file.digest }, either)
        return true
      }
      const sent = opened.then(send).catch(() => false)
      const end = (): void => {
        underway -= 1
        file.close()
      }
      const sending: Sending = { written: file.digest, sent: sent.finally(end), onSent: () => undefined }
      sendings.push(sending)
      return file
    },
    async isSent(digest, onSent, push) {
      for (const sending of sendings) {
        if ((await sending.written) !== digest) continue
        sending.onSent = onSent
        push.addEventListener('abort', () => stop.abort(), { once: true })
        if (push.aborted) stop.abort()
        return await sending.sent
      }
      return false
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(sendings.map(({ sent }) => sent))
      await (await opened?.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}

/** A blob whose digest is known once it has been read. */
interface Growing {
  readonly sizeBytes: number
  readonly open: () => AsyncIterable<Uint8Array>
  readonly digest: Promise<Digest | undefined>
}

async function sendBlob(exchange: Exchange, blob: Growing, signal: AbortSignal): Promise<void> {
  const action = `upload a blob to ${exchange.access.registry}/${exchange.access.repository}`
  const session = await openSession(exchange, action, signal)
  try {
    await sendContent(exchange, action, session, blob, signal)
    const digest = await blob.digest
    if (digest === undefined) throw new Error('the blob was never written to its end')
    await closeSession(exchange, action, session, digest, signal)
  } catch (error) {
    await abortSession(exchange, session)
    throw error
  }
}

async function sendContent(
  exchange: Exchange,
  action: string,
  session: Session,
  { open, sizeBytes }: Growing,
  signal: AbortSignal,
): Promise<void> {
  const answer = await exchange.ask({
    action,
    method: 'PATCH',
    to: session.location,
    headers: { 'content-type': 'application/octet-stream' },
    body: { sizeBytes, open },
    expect: [202, 201, 204],
    retry: false,
    signal,
  })
  await answer.close()
  moveSession(exchange, session, answer)
}
