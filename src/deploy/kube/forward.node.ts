import { createServer, type Socket } from 'node:net'
import { toErrorText } from '../../core/errors.ts'
import type { Kube } from './client.node.ts'
import { toKubeError } from './errors.ts'

/** A port of this machine that leads to a pod's. */
export interface Forward extends AsyncDisposable {
  readonly port: number
}

/** Leads a free port of 127.0.0.1 to a port of a pod, through the cluster's API. @throws KUBE_UNREACHABLE */
export async function openForward(kube: Kube, pod: string, podPort: number): Promise<Forward> {
  const { PortForward } = await import('@kubernetes/client-node')
  const forwarder = new PortForward(kube.config, false)
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    // Bytes that come before the tunnel is open wait in the socket.
    socket.pause()
    forwarder.portForward(kube.namespace, pod, [podPort], socket, null, socket).then(
      tunnel => {
        const link = typeof tunnel === 'function' ? tunnel() : tunnel
        link?.addEventListener('close', () => socket.destroy())
        socket.once('close', () => link?.close())
        if (socket.destroyed) link?.close()
        socket.resume()
      },
      () => socket.destroy(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  }).catch(error => {
    throw toKubeError('KUBE_UNREACHABLE', `Cannot open a port for ${pod}: ${toErrorText(error)}`, { cause: error })
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
