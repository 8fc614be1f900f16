import { RegattaError, UsageError } from './errors.ts'

declare const brand: unique symbol
/** A `base` that only a `parse…` function can make, so that look-alikes are not confused. */
export type Brand<base, tag extends string> = base & { readonly [brand]: tag }

/** The lower-case name of a variant, such as `a` or `wide-net`. */
export type VariantName = Brand<string, 'VariantName'>
/** A content digest, `sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md, "Digests"). */
export type Digest = Brand<string, 'Digest'>

/** Reads a variant's name. @throws VARIANT_NAME */
export function parseVariantName(text: string): VariantName {
  if (!/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(text)) {
    throw new UsageError(
      'VARIANT_NAME',
      `Cannot use "${text}" as a variant name: expected 1–40 of a–z, 0–9 and -, first a letter, last not -`,
      { fix: 'Choose another name, for example "b" or "wide-net"' },
    )
  }
  return text as VariantName
}

/** Reads a digest. @throws DIGEST */
export function parseDigest(text: string): Digest {
  if (!/^sha256:[0-9a-f]{64}$/.test(text)) {
    throw new RegattaError('DIGEST', `Cannot read digest "${text}": expected sha256: and 64 lower-case hex digits`)
  }
  return text as Digest
}
