import { UsageError } from './errors.ts'

/** One row of one prediction: `ID/i`; `ID` alone is row 0. */
export interface PredictionId {
  /** The request, a UUIDv7 in lower case. */
  readonly request: string
  /** The row within the request's batch, counted from 0. */
  readonly row: number
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/**
 * Makes a UUIDv7: 48 bits of `at` (epoch ms), then 74 bits of `random` (at least 10 bytes).
 * Source: RFC 9562, section 5.7.
 */
export function toUuidV7(at: number, random: Uint8Array): string {
  const time = toTimeHex(at)
  const tail = Buffer.from(random.buffer, random.byteOffset, 10).toString('hex')
  const variant = '89ab'[((random[2] ?? 0) >> 4) & 3]
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(1, 4)}-${variant}${tail.slice(5, 8)}-${tail.slice(8)}`
}

/**
 * Whether a request is among a share (0–1) of all that is recorded: told by the random bits of its id alone, so that it
 * is the same for every variant, and whoever is in a share is in every larger one.
 */
export function isSampled(request: string, share: number): boolean {
  return Number.parseInt(request.slice(-8), 16) < share * 2 ** 32
}

/** Reads `ID` or `ID/row`. @throws PREDICTION_ID */
export function parsePredictionId(text: string): PredictionId {
  const [request = '', row, ...rest] = text.toLowerCase().split('/')
  if (!UUID.test(request) || rest.length > 0 || (row !== undefined && !/^(0|[1-9]\d{0,5})$/.test(row))) {
    throw new UsageError(
      'PREDICTION_ID',
      `Cannot read prediction id "${text}": expected a UUID, optionally followed by / and the row's number`,
      { fix: 'Use the id of the x-regatta-prediction header of the answer' },
    )
  }
  return { request, row: row === undefined ? 0 : Number(row) }
}

function toTimeHex(at: number): string {
  return Math.trunc(at).toString(16).padStart(12, '0')
}
