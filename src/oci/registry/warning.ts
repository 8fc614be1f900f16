import { toOneLine } from './errors.ts'
import type { Transport } from './http.node.ts'

/* Source: distribution-spec v1.1.1, "Warnings"; RFC 7234, section 5.5. */

const WARNING = /\b299 - "((?:[^"\\]|\\.)*)"/g

/** What registries have to say beside their answers, such as that a token is about to expire. */
export function parseWarnings(header: string | undefined): readonly string[] {
  const texts = [...(header ?? '').matchAll(WARNING)].map(([, quoted = '']) => quoted.replaceAll(/\\(.)/g, '$1'))
  return texts.map(toOneLine).filter(text => text !== '')
}

/** Tells of each warning once, however many answers bring it. */
export function withWarnings(transport: Transport, tell: (text: string) => void): Transport {
  const told = new Set<string>()
  return {
    ...transport,
    async send(ask) {
      const answer = await transport.send(ask)
      for (const text of parseWarnings(answer.headers['warning'])) {
        if (!told.has(text)) tell(`${ask.url.host} says: ${text}`)
        told.add(text)
      }
      return answer
    },
  }
}
