import type { BaseLogger } from 'pino'

/** Where the gateway tells what happens; pino's loggers are such. Neither bodies nor tokens are ever given to it. */
export type Logger = Pick<BaseLogger, 'info' | 'warn' | 'error'>
