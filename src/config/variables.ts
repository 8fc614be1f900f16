/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What the names of regatta's own variables begin with. */
export const PREFIX = 'REGATTA_'
