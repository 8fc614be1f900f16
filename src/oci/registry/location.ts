import { RegattaError } from '../../core/errors.ts'
import { parseReference, type Reference } from '../reference.ts'

/** Where an image lies: in a registry, or in an image layout. */
export type Location =
  | { readonly kind: 'registry'; readonly reference: Reference }
  /** `name` is that of an entry, or its digest. */
  | { readonly kind: 'layout'; readonly folder: string; readonly name: string | undefined }

/**
 * Reads a reference, or `oci:PATH[:NAME]` for a layout; a path has no colon, a name may (the form of skopeo's
 * containers-transports(5)). @throws REFERENCE, LOCATION
 */
export function parseLocation(text: string): Location {
  if (!text.startsWith('oci:')) return { kind: 'registry', reference: parseReference(text) }
  const rest = text.slice('oci:'.length)
  const colon = rest.indexOf(':')
  const folder = colon === -1 ? rest : rest.slice(0, colon)
  if (folder !== '' && colon !== rest.length - 1) {
    return { kind: 'layout', folder, name: colon === -1 ? undefined : rest.slice(colon + 1) }
  }
  throw new RegattaError(
    'LOCATION',
    `Cannot read "${text}": expected ${folder === '' ? 'a folder' : 'a name'} after the colon`,
    {
      fix: 'Write for example oci:images or oci:images:forecast',
    },
  )
}
