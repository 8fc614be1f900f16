import type { PredictionRecord } from '../../core/wire/records.ts'
import type { Capture, Logged } from '../../core/wire/routes.ts'
import type { Protocol } from '../path.ts'

/** What one variant did with one request, as bytes: read into a record later, off the path of the answer. */
export interface Tap {
  readonly head: Omit<PredictionRecord, 'rows' | 'error'>
  readonly content: TapContent
}

/** What the rows of a record are read from. */
export interface TapContent {
  /** As in the head. */
  readonly status: number
  readonly protocol: Protocol
  readonly capture: Capture
  /** From the headers; they hold for every row. */
  readonly series: string | undefined
  readonly at: number | undefined
  readonly entity: string | undefined
  /** The request's body, where series, time or entity are to be read from its rows. */
  readonly request: TapBody | undefined
  /** The answer's body; undefined where there is none to read, and then `problem` says why. */
  readonly answer: TapBody | undefined
  readonly problem: string | undefined
  /** What goes into the record as it is: of copies, the answer alone. @default nothing */
  readonly logged?: Logged | undefined
}

/** A body as it came over the wire, and how it is to be read. */
export interface TapBody {
  readonly bytes: Uint8Array
  /** `content-encoding`; undefined where it is plain. */
  readonly encoding: string | undefined
  /** How many bytes of JSON stand before the tensors of V2's binary extension; undefined where all of it is JSON. */
  readonly jsonBytes: number | undefined
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** A body with what the headers beside it say about reading it. */
export function toTapBody(bytes: Uint8Array, headers: Headers): TapBody {
  const encoding = headers['content-encoding']
  const jsonBytes = headers['inference-header-content-length']
  return {
    bytes,
    encoding: encoding === undefined || encoding === 'identity' ? undefined : String(encoding).toLowerCase(),
    jsonBytes: typeof jsonBytes === 'string' ? Number(jsonBytes) : undefined,
  }
}

/** Bytes that a tap keeps in memory; 512 stand for the object itself. */
export function toTapBytes({ content }: Tap): number {
  return 512 + (content.request?.bytes.byteLength ?? 0) + (content.answer?.bytes.byteLength ?? 0)
}

/** Whether the request's body is needed to tell what the rows are predictions of, or for whom. */
export function needsRequest(
  capture: Capture,
  { series, at, entity }: { readonly [key in 'series' | 'at' | 'entity']: unknown },
): boolean {
  return (
    capture.covariate !== undefined ||
    (capture.series !== undefined && series === undefined) ||
    (capture.at !== undefined && at === undefined) ||
    (capture.entity !== undefined && entity === undefined)
  )
}
