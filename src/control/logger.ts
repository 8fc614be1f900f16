/** Where control tells what it does: the part of pino's logger that it uses. */
export interface Logger {
  info(detail: object, message: string): void
  warn(detail: object, message: string): void
  error(detail: object, message: string): void
}
