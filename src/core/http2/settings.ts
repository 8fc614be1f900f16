import { H2Error } from './errors.ts'
import { FRAME, MAX_FRAME_BYTES, toFrameBytes } from './frames.ts'

/** The names of settings. Source: RFC 9113, section 6.5.2. */
const SETTING = { enablePush: 2, maxConcurrentStreams: 3, initialWindow: 4, maxFrame: 5, maxHeaderList: 6 } as const
const SETTING_BYTES = 6
const LARGEST_FRAME_BYTES = 2 ** 24 - 1

/** A window may never be larger. */
export const MAX_WINDOW_BYTES = 2 ** 31 - 1

/** What a peer said of itself that matters to who sends to it. */
export interface H2PeerSettings {
  readonly initialWindowBytes?: number
  readonly maxFrameBytes?: number
  readonly maxConcurrentStreams?: number
  /** Whether it takes pushes. */
  readonly isPushing?: boolean
}

/** Reads a SETTINGS frame. @throws H2Error where it is none */
export function parseH2Settings(payload: Buffer): H2PeerSettings {
  if (payload.length % SETTING_BYTES !== 0)
    throw new H2Error('FRAME_SIZE_ERROR', `Settings of ${payload.length} bytes: expected ${SETTING_BYTES} for each`)
  let settings: H2PeerSettings = {}
  for (let at = 0; at < payload.length; at += SETTING_BYTES) {
    const value = payload.readUInt32BE(at + 2)
    switch (payload.readUInt16BE(at)) {
      case SETTING.enablePush:
        check(value <= 1, 'PROTOCOL_ERROR', 'ENABLE_PUSH', value)
        settings = { ...settings, isPushing: value === 1 }
        break
      case SETTING.maxConcurrentStreams:
        settings = { ...settings, maxConcurrentStreams: value }
        break
      case SETTING.initialWindow:
        check(value <= MAX_WINDOW_BYTES, 'FLOW_CONTROL_ERROR', 'INITIAL_WINDOW_SIZE', value)
        settings = { ...settings, initialWindowBytes: value }
        break
      case SETTING.maxFrame:
        check(value >= MAX_FRAME_BYTES && value <= LARGEST_FRAME_BYTES, 'PROTOCOL_ERROR', 'MAX_FRAME_SIZE', value)
        settings = { ...settings, maxFrameBytes: value }
        break
    }
  }
  return settings
}

function check(isGood: boolean, code: H2Error['code'], name: string, value: number): void {
  if (!isGood) throw new H2Error(code, `The setting ${name} is ${value}, out of its range`)
}

/** The SETTINGS frame of what this side allows. */
export function toSettingsFrame(settings: Readonly<Partial<Record<keyof typeof SETTING, number>>>): Buffer {
  const names = Object.keys(settings) as (keyof typeof SETTING)[]
  const payload = Buffer.alloc(names.length * SETTING_BYTES)
  for (const [at, name] of names.entries()) {
    payload.writeUInt16BE(SETTING[name], at * SETTING_BYTES)
    payload.writeUInt32BE(settings[name] ?? 0, at * SETTING_BYTES + 2)
  }
  return toFrameBytes(FRAME.settings, 0, 0, payload)
}
