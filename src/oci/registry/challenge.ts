/** What a registry asks for. Source: RFC 9110 section 11.6.1; distribution.github.io, "Token Authentication". */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer'
      readonly realm: string
      readonly service: string | undefined
      readonly scope: string | undefined
    }

const MAX_LENGTH = 8192
/** `name=value`, `name="value"`, or a word alone: a scheme. */
const PART = /([a-z0-9_-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/gi

/** Reads `WWW-Authenticate`; of several challenges the first Bearer one, else Basic, else none. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const found: { readonly scheme: string; readonly parameters: Map<string, string> }[] = []
  for (const [, name = '', quoted, bare] of (header ?? '').slice(0, MAX_LENGTH).matchAll(PART)) {
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? bare
    if (value === undefined) found.push({ scheme: name.toLowerCase(), parameters: new Map() })
    else found.at(-1)?.parameters.set(name.toLowerCase(), value)
  }
  for (const { parameters, scheme } of found) {
    const realm = parameters.get('realm')
    if (scheme !== 'bearer' || realm === undefined) continue
    return { scheme: 'bearer', realm, service: parameters.get('service'), scope: parameters.get('scope') }
  }
  return found.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined
}
