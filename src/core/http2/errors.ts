/** The error codes of HTTP/2. Source: RFC 9113, section 7. */
export const H2_CODES = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const satisfies Record<string, number>

/** The name of an error code. */
export type H2Code = keyof typeof H2_CODES

/** What ends a connection: its peer did what HTTP/2 forbids, or too much of something. */
export class H2Error extends Error {
  readonly code: H2Code

  constructor(code: H2Code, message: string) {
    super(message)
    this.name = 'H2Error'
    this.code = code
  }
}
