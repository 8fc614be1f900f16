import { applyObject, deleteObject, listObjects } from './apply.node.ts'
import type { Kube } from './client.node.ts'
import { IMAGE, toLabels, toOwnSelector } from './labels.ts'
import { at, type KubeObject, textAt } from './object.ts'

/** What one ConfigMap may hold, less what base64 adds. Source: Kubernetes, "ConfigMaps": 1 MiB. */
const MAX_BYTES = 700_000

/**
 * Puts the documents of an image where every control finds them, whatever became of the one that they were given to: its
 * manifest and the record of its run. Each that finds no room any more is left out: those that matter most come first.
 */
export async function writeDocuments(
  kube: Kube,
  deployment: string,
  { image, documents }: { readonly image: string; readonly documents: readonly Uint8Array[] },
): Promise<void> {
  const id = toId(image)
  let room = MAX_BYTES
  const kept = documents.filter(bytes => {
    const fits = bytes.byteLength <= room
    if (fits) room -= bytes.byteLength
    return fits
  })
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `${deployment}-image-${id}`,
      namespace: kube.namespace,
      labels: { ...toLabels(deployment, 'control'), [IMAGE]: id },
    },
    binaryData: Object.fromEntries(kept.map((bytes, index) => [`${index}`, Buffer.from(bytes).toString('base64')])),
  }
  await applyObject(kube, object, { deployment, force: true })
}

/** Images that are remembered beside those that run: predictions of older ones are no longer traced to their runs. */
const MAX_OLD_IMAGES = 20

/** Deletes the documents of old images, the oldest first; those of `used` images, and of the last others, stay. */
export async function pruneDocuments(kube: Kube, deployment: string, used: readonly string[]): Promise<void> {
  const kept = new Set(used.map(toId))
  const others = (await listDocuments(kube, deployment))
    .filter(({ metadata }) => !kept.has(metadata.labels?.[IMAGE] ?? ''))
    .toSorted((a, b) => toMadeAt(b) - toMadeAt(a))
  for (const map of others.slice(MAX_OLD_IMAGES)) await deleteObject(kube, map)
}

function toMadeAt(map: KubeObject): number {
  return Date.parse(textAt(map, 'metadata', 'creationTimestamp') ?? '')
}

function toId(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12)
}

async function listDocuments(kube: Kube, deployment: string): Promise<readonly KubeObject[]> {
  return await listObjects(kube, 'ConfigMap', `${toOwnSelector(deployment)},${IMAGE}`)
}

/** The documents of every image that is remembered. */
export async function readDocuments(kube: Kube, deployment: string): Promise<readonly Uint8Array[]> {
  return (await listDocuments(kube, deployment)).flatMap(map =>
    Object.values(at(map, 'binaryData') ?? {}).map(text => new Uint8Array(Buffer.from(String(text), 'base64'))),
  )
}
