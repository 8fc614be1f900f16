import { hostname, userInfo } from 'node:os'

/** Who asks control for something: what the history of a deployment calls them. */
export function toActor(): string {
  return `${toUser()}@${hostname()}`
}

function toUser(): string {
  try {
    return userInfo().username
  } catch {
    // In a container the user may have no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
