import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '../../src/core/json.ts'
import type { Harbour } from './namespace.ts'

/**
 * Makes a volume that a claim of the namespace may bind to, in a folder of this machine, which is the node. A cluster that
 * has a StorageClass makes its own.
 */
export async function makeVolume({ admin, namespace, place }: Harbour): Promise<void> {
  const classes = await admin.ask('GET', '/apis/storage.k8s.io/v1/storageclasses')
  if (isObject(classes) && Array.isArray(classes['items']) && classes['items'].length > 0) return
  const path = join(place.folder, 'volume')
  mkdirSync(path)
  // The kubelet gives no folder of the node to a group.
  chmodSync(path, 0o777)
  await admin.ask('POST', '/api/v1/persistentvolumes', {
    body: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: namespace },
      spec: {
        capacity: { storage: '64Mi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace, name: 'linear-data' },
        hostPath: { path, type: 'Directory' },
      },
    },
  })
}

/** Takes it away again. */
export async function removeVolume({ admin, namespace }: Harbour): Promise<void> {
  await admin.ask('DELETE', `/api/v1/persistentvolumes/${namespace}`)
}
