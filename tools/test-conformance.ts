// Lets other projects' clients ask the model server and the gateway: `node tools/test-conformance.ts [CLIENT …]`, and h2spec
// the HTTP/2 under their gRPC. Installs the clients from PyPI (again only when their versions change), and h2spec, which Go
// builds. Ends with `N passed, N failed, N skipped`.
import { type Asked, runClient } from './conformance/client.ts'
import { checkHttp2 } from './conformance/http2.ts'
import { CLIENTS, type ClientName, prepare } from './conformance/parts.ts'
import { openDecoupled, openGateway, openServer } from './conformance/places.ts'

const chosen = process.argv.slice(2)
const wanted = parseClients(chosen)
const counts = { passed: 0, failed: 0 }
try {
  if (chosen.length === 0) add(await checkHttp2())
  using parts = prepare()
  for (const open of [openServer, openGateway, openDecoupled]) {
    await using place = await open(parts)
    for (const client of wanted.filter(name => place.clients.includes(name))) add(await runClient(parts, place, client))
    if (place.check !== undefined) add(await place.check())
  }
} catch (error) {
  counts.failed += 1
  console.log(error instanceof Error ? error.message : error)
}
console.log(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`)
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0

function add({ passed, failed }: Asked): void {
  counts.passed += passed
  counts.failed += failed
}

function parseClients(args: readonly string[]): readonly ClientName[] {
  const unknown = args.find(name => !CLIENTS.some(client => client === name))
  if (unknown === undefined) return args.length === 0 ? CLIENTS : CLIENTS.filter(client => args.includes(client))
  console.error(`Cannot run "${unknown}": expected ${CLIENTS.join(', ')}`)
  process.exit(2)
}
