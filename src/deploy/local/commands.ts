import type { Ports } from './life.node.ts'

/** The host by which this machine reaches what listens on `host`, as it stands in a URL. */
export function toLocalHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

/** Where replicas listen: only this machine's gateway talks to them. */
export const REPLICA_HOST = '127.0.0.1'

/** The command line of a model server on free ports. */
export function toServerCommand(prefix: readonly string[], model: { name: string; basePath: string }): string[] {
  const { name, basePath } = model
  const ports = ['--host', REPLICA_HOST, '--http-port', '0', '--grpc-port', '0']
  return [...prefix, '--model-name', name, '--model-base-path', basePath, ...ports]
}

/** The PEM files of a gateway that speaks TLS; with `clientCa`, clients need a certificate that it signed. */
export interface GatewayTls {
  readonly cert: string
  readonly key: string
  readonly clientCa?: string | undefined
}

/** What a gateway's command line says. */
interface GatewayWords {
  readonly host: string
  readonly ports: Required<Ports>
  readonly controlUrl: string
  readonly routesPath: string
  readonly spoolPath: string
  readonly tls?: GatewayTls | undefined
  readonly origins?: readonly string[] | undefined
}

/** The command line of the gateway. Its tokens are not here: command lines are public on a machine. */
export function toGatewayCommand(prefix: readonly string[], gateway: GatewayWords): string[] {
  const { host, ports, controlUrl, routesPath, spoolPath, tls, origins = [] } = gateway
  const files = ['--routes-file', routesPath, '--control-url', controlUrl, '--spool', spoolPath]
  const access = [
    ...(tls === undefined ? [] : ['--tls-cert', tls.cert, '--tls-key', tls.key]),
    ...(tls?.clientCa === undefined ? [] : ['--tls-client-ca', tls.clientCa]),
    ...origins.flatMap(origin => ['--cors-origin', origin]),
  ]
  const address = ['--host', host, '--http-port', `${ports.http}`, '--grpc-port', `${ports.grpc}`]
  return [...prefix, ...address, ...files, ...access]
}
