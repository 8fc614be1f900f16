import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runWell } from '../../tools/images/program.ts'
import { type Arena, type Contender, toRepositories } from './contender.ts'

/** `buildah bud --layers` and `buildah push`, each with the isolation that needs least. */
export function openBuildah({ context, folder, registry, toPath }: Arena): Contender {
  const repository = toRepositories(registry, 'buildah')
  let storage = ''
  let number = 0
  const toCommand = (): string =>
    `'${toPath('buildah')}' --root '${storage}/root' --runroot '${storage}/run' --storage-driver overlay`
  const close = (): void => {
    if (storage === '') return
    // The storage driver mounts its folder on itself.
    spawnSync('umount', ['--lazy', join(storage, 'root', 'overlay')])
    rmSync(storage, { recursive: true, force: true })
  }
  return {
    name: 'buildah',
    async forget() {
      repository.next()
      close()
      number += 1
      storage = join(folder, `storage-${number}`)
      mkdirSync(storage, { recursive: true })
    },
    toScript: () => `${toCommand()} bud -q --layers --isolation chroot --tls-verify=false -t image '${context}' > built
${toCommand()} push -q --tls-verify=false image docker://${repository.reference()}`,
    async [Symbol.asyncDispose]() {
      close()
    },
  }
}

/** GNU tar and `crane append`: the runtime once, then the model on top of it. */
export function openCrane({ base, context, folder, registry, toPath }: Arena): Contender {
  const repository = toRepositories(registry, 'crane')
  const crane = `'${toPath('crane')}' append --insecure`
  const tar = "tar --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner --transform 's,^runtime,opt/regatta,'"
  const layer = (name: string): string => `${tar} -C '${context}' -cf ${name}.tar ${name}`
  return {
    name: 'crane',
    async forget() {
      repository.next()
    },
    toScript(kind) {
      const runtime = repository.reference().replace(/:model$/, ':runtime')
      const first = `${layer('runtime')}\n${crane} -b ${base} -f runtime.tar -t ${runtime}\n`
      const then = `${layer('models')}\n${crane} -b ${runtime} -f models.tar -t ${repository.reference()}`
      return `cd '${folder}'\n${kind === 'cold' ? first : ''}${then}`
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** The least that can be: curl sends layers that are ready, whose digests are known. No image comes of it. */
export function openFloor({ base, context, folder, registry }: Arena): Contender {
  const repository = toRepositories(registry, 'floor')
  const digests = new Map<string, string>()
  const pack = async (name: string, compress: readonly string[]): Promise<void> => {
    const file = join(folder, name)
    await runWell('tar', ['-C', context, ...compress, '-cf', file, name])
    digests.set(name, `sha256:${(await runWell('sha256sum', [file])).split(' ')[0]}`)
  }
  const upload = (name: string): string => {
    const uploads = `http://${repository
      .reference()
      .replace('/', '/v2/')
      .replace(/:model$/, '')}/blobs/uploads/`
    return `place=$(curl -fsS -o /dev/null -D - -X POST ${uploads} | tr -d '\\r' | sed -n 's/^Location: //p')
curl -fsS -o /dev/null -H 'Expect:' -H 'Content-Type: application/octet-stream' -T '${join(folder, name)}' "$place&digest=${digests.get(name)}"
`
  }
  const look = `curl -fsS -o /dev/null -I http://${base.replace('/', '/v2/').replace(/:([^:]+)$/, '/manifests/$1')} \
-H 'Accept: application/vnd.oci.image.manifest.v1+json'`
  return {
    name: 'floor',
    async forget() {
      repository.next()
      if (!digests.has('runtime')) await pack('runtime', ['-z'])
    },
    prepare: () => pack('models', []),
    toScript(kind) {
      if (kind === 'same') return look
      return kind === 'cold' ? `${upload('runtime')}${upload('models')}` : upload('models')
    },
    async [Symbol.asyncDispose]() {},
  }
}
