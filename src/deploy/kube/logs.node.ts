import type { Kube } from './client.node.ts'
import { toPath } from './kinds.ts'

/** The lines of a pod's log, oldest first; `follow` goes on until the signal. */
export async function* listPodLog(
  kube: Kube,
  pod: string,
  { lines, follow }: { readonly lines: number; readonly follow: boolean },
  signal: AbortSignal,
): AsyncGenerator<string> {
  const query = new URLSearchParams({ tailLines: String(lines), follow: String(follow) })
  yield* kube.follow(`${toPath('Pod', kube.namespace, pod)}/log?${query}`, signal)
}
