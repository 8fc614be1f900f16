/**
 * What zlib gives at once, as an option of Node's: every piece is a way to another thread and back, on which a busy machine
 * makes it wait. With Node's own 16 KiB, a message of 64 MiB has 4096 of them.
 */
export const ZLIB_CHUNK = { chunkSize: 64 * 1024 } as const
