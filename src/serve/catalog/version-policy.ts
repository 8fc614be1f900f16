/** Which of the versions on disk are served. */
export type VersionPolicy =
  /** The highest so many. */
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'specific'; readonly versions: readonly number[] }

/** The policy where nobody says another. */
export const LATEST: VersionPolicy = { kind: 'latest', count: 1 }

/** Picks the versions to serve from those found, highest first. */
export function pickVersions(policy: VersionPolicy, found: readonly number[]): readonly number[] {
  const sorted = [...new Set(found)].sort((a, b) => b - a)
  switch (policy.kind) {
    case 'latest':
      return sorted.slice(0, Math.max(policy.count, 1))
    case 'all':
      return sorted
    case 'specific':
      return sorted.filter(version => policy.versions.includes(version))
    default:
      return policy satisfies never
  }
}

/** Whether two policies are the same. */
export function isSamePolicy(a: VersionPolicy, b: VersionPolicy): boolean {
  if (a.kind === 'latest') return b.kind === 'latest' && a.count === b.count
  if (a.kind === 'all') return b.kind === 'all'
  return b.kind === 'specific' && String(a.versions) === String(b.versions)
}
