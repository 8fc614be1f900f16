import { applyObject, listObjects } from './apply.node.ts'
import type { Kube } from './client.node.ts'
import { IMAGE, toLabels, toOwnSelector } from './labels.ts'
import { at, type KubeObject } from './object.ts'

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
  const id = image.slice('sha256:'.length, 'sha256:'.length + 12)
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

/** The documents of every image that was deployed. */
export async function readDocuments(kube: Kube, deployment: string): Promise<readonly Uint8Array[]> {
  const maps = await listObjects(kube, 'ConfigMap', `${toOwnSelector(deployment)},${IMAGE}`)
  return maps.flatMap(map =>
    Object.values(at(map, 'binaryData') ?? {}).map(text => new Uint8Array(Buffer.from(String(text), 'base64'))),
  )
}
