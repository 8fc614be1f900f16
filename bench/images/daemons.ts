import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Program, startProgram } from '../../tools/images/program.ts'
import { type Arena, type Contender, toRepositories } from './contender.ts'

/** Debian's Docker engine with its own builder, `docker build` and `docker push`. */
export function openDocker(arena: Arena): Contender {
  const { context, registry, toPath } = arena
  const repository = toRepositories(registry, 'docker')
  const daemon = toDaemon(arena, async folder => {
    const socket = join(folder, 'd.sock')
    const places = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')]
    const alone = ['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--pidfile', join(folder, 'pid')]
    return await startProgram(toPath('dockerd'), ['-H', `unix://${socket}`, ...places, ...alone], /API listen on/)
  })
  const command = (): string => `DOCKER_BUILDKIT=0 '${toPath('docker')}' -H 'unix://${daemon.folder()}/d.sock'`
  return {
    name: 'docker',
    async forget() {
      repository.next()
      await daemon.renew()
    },
    toScript: () => `${command()} build -q -t ${repository.reference()} '${context}' > /dev/null
${command()} push -q ${repository.reference()} > /dev/null`,
    [Symbol.asyncDispose]: daemon.close,
  }
}

/** BuildKit of the Go module proxy, by its own client, as its documentation tells. */
export function openBuildkit(arena: Arena): Contender {
  const { context, registry, toPath } = arena
  const repository = toRepositories(registry, 'buildkit')
  const daemon = toDaemon(arena, async folder => {
    const workers = ['--oci-worker=true', '--containerd-worker=false', '--oci-worker-binary', toPath('runc')]
    const places = ['--root', join(folder, 'root'), '--addr', `unix://${folder}/b.sock`]
    return await startProgram(toPath('buildkitd'), [...places, ...workers], /running server on/)
  })
  return {
    name: 'buildkit',
    async forget() {
      repository.next()
      await daemon.renew()
    },
    toScript: () => `'${toPath('buildctl')}' --addr 'unix://${daemon.folder()}/b.sock' build --progress quiet \\
--frontend dockerfile.v0 --local context='${context}' --local dockerfile='${context}' \\
--output type=image,name=${repository.reference()},push=true,registry.insecure=true`,
    [Symbol.asyncDispose]: daemon.close,
  }
}

/** A daemon that starts anew with a folder of its own each time it has to forget. */
function toDaemon({ folder }: Arena, start: (folder: string) => Promise<Program>) {
  let program: Program | undefined
  let number = 0
  const toFolder = (): string => join(folder, String(number))
  const close = async (): Promise<void> => {
    await program?.stop()
    program = undefined
    rmSync(toFolder(), { recursive: true, force: true })
  }
  return {
    folder: toFolder,
    close,
    async renew(): Promise<void> {
      await close()
      number += 1
      mkdirSync(toFolder(), { recursive: true })
      program = await start(toFolder())
    },
  }
}
