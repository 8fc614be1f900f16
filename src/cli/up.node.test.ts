import assert from 'node:assert/strict'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readProject, toStartDigest, toStatePaths } from '../config/index.ts'
import { readUpRecord, writeUpRecord } from '../core/up-record.node.ts'
import { TestProject } from './testing/project.ts'

describe('regatta up -d beside one that runs', () => {
  it('says that regatta.yaml has changed since the start, as long as it has', async () => {
    await using project = await TestProject.open()
    const { folder } = project.place
    const { upRecord } = toStatePaths(folder)
    const record = (await readUpRecord(upRecord)) ?? assert.fail()
    const startedWith = toStartDigest(await readProject(folder, {}))
    await writeUpRecord(upRecord, { ...record, startedWith })
    const same = await project.run('up', '-d')
    assert.doesNotMatch(same.err, /of its start/)
    await appendFile(join(folder, 'regatta.yaml'), 'race: { minGain: 1 }\n')
    const other = await project.run('up', '-d')
    assert.match(other.err, /regatta runs by the regatta\.yaml .* of its start, .*: regatta down, then regatta up -d/)
  })
})
