import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebhookFormat } from '../../config/index.ts'
import type { Clock } from '../../core/clock.ts'
import { toSystemCode } from '../../core/errors.ts'
import type { Incident } from '../health/incidents.ts'
import type { Logger } from '../logger.ts'
import { toWebhookBody, type WebhookBody } from './body.ts'

/** Where messages go. The URL is a secret: whoever knows it can write there. */
export interface WebhookTarget {
  readonly url: string
  readonly format: WebhookFormat
}

/** What a webhook works with. */
export interface WebhookOptions extends WebhookTarget {
  readonly deployment: string
  readonly clock: Clock
  readonly logger: Logger
  /** Told what became of a message. */
  readonly onEnd: (end: WebhookEnd) => void
  /** Pause before the second try, ms; it doubles with each. @default 1000 */
  readonly firstPauseMs?: number
}

/** `sent`, or `failed` for good, or `dropped` because too many waited. */
export type WebhookEnd = 'sent' | 'failed' | 'dropped'

/** Messages that may wait; the oldest gives way. */
const MAX_WAITING = 100
/** About nine minutes. */
const MAX_TRIES = 10
const MAX_PAUSE_MS = 300_000
const TRY_MS = 10_000

interface Message {
  readonly incident: Incident
  readonly body: WebhookBody
}

/** Sends incidents to a webhook, one after the other, again after a while where it does not answer. */
export class Webhook implements AsyncDisposable {
  readonly #options: WebhookOptions
  readonly #closing = new AbortController()
  readonly #waiting: Message[] = []
  #sending: Promise<void> | undefined

  constructor(options: WebhookOptions) {
    this.#options = options
  }

  /** Takes an incident in, and returns at once. */
  send(incident: Incident): void {
    const { clock, deployment, format, logger, onEnd } = this.#options
    const facts = { deployment, id: randomUUID(), at: clock() }
    this.#waiting.push({ incident, body: toWebhookBody(incident, facts, format) })
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift()
      onEnd('dropped')
      logger.warn({ waiting: MAX_WAITING }, 'Dropped an alert: too many wait for the webhook')
    }
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#sending
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#closing.signal.aborted) return
      await this.#sendOne(next)
    }
  }

  async #sendOne({ incident, body }: Message): Promise<void> {
    const { logger, onEnd, firstPauseMs = 1000 } = this.#options
    const { kind, race } = incident
    for (let tries = 1; ; tries++) {
      const result = await this.#try(body)
      if (this.#closing.signal.aborted) return
      if (result === 'sent') {
        onEnd('sent')
        return
      }
      if (!result.mayPass || tries === MAX_TRIES) {
        onEnd('failed')
        logger.error({ kind, race, tries, reason: result.reason }, 'Cannot send an alert to the webhook')
        return
      }
      logger.warn({ kind, race, tries, reason: result.reason }, 'The webhook does not take an alert; trying again')
      const pauseMs = Math.min(MAX_PAUSE_MS, firstPauseMs * 2 ** (tries - 1))
      await sleep(Math.max(pauseMs, result.askedMs), undefined, { signal: this.#closing.signal }).catch(() => {})
    }
  }

  /** Never tells the URL, nor what the other side says, which may repeat it. */
  async #try({ contentType, text }: WebhookBody): Promise<'sent' | Failure> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TRY_MS)])
    const headers = { 'content-type': contentType }
    try {
      const init = { method: 'POST', headers, body: text, signal, redirect: 'manual' } as const
      const response = await fetch(this.#options.url, init)
      await response.body?.cancel()
      if (response.ok) return 'sent'
      const { status } = response
      const mayPass = status === 408 || status === 425 || status === 429 || status >= 500
      const askedMs = Math.min(MAX_PAUSE_MS, 1000 * Number(response.headers.get('retry-after') ?? 0) || 0)
      return { mayPass, askedMs, reason: `it answered ${status}` }
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined
      const code = toSystemCode(cause) ?? (signal.aborted ? 'TIMEOUT' : 'UNREACHABLE')
      return { mayPass: true, askedMs: 0, reason: `it cannot be reached (${code})` }
    }
  }
}

interface Failure {
  readonly mayPass: boolean
  /** How long the other side asks to wait. */
  readonly askedMs: number
  readonly reason: string
}
