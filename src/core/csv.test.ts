import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CsvRow, readCsv } from './csv.ts'

async function read(text: string, chunkChars = 1000): Promise<readonly CsvRow[]> {
  async function* chunks(): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += chunkChars) yield text.slice(at, at + chunkChars)
  }
  return await Array.fromAsync(readCsv(chunks()))
}
const cellsOf = async (text: string): Promise<readonly (readonly string[])[]> =>
  (await read(text)).map(({ cells }) => cells)

describe('readCsv()', () => {
  const cases: readonly (readonly [string, string, readonly (readonly string[])[]])[] = [
    [
      'rows of cells',
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a last row without a line break',
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'line breaks of Windows',
      'a,b\r\n1,2\r\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['a byte order mark', '\uFEFFa,b\n', [['a', 'b']]],
    [
      'semicolons',
      'a;b\n1,5;2\n',
      [
        ['a', 'b'],
        ['1,5', '2'],
      ],
    ],
    [
      'tabs',
      'a\tb\n1\t2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'empty cells',
      ',b,\n,,\n',
      [
        ['', 'b', ''],
        ['', '', ''],
      ],
    ],
    [
      'no lines without anything',
      'a,b\n\n\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['quoted cells', '"a","b ""c"", d"\n', [['a', 'b "c", d']]],
    ['a quoted last cell that is empty', 'a,""\n', [['a', '']]],
    [
      'a line break in quotes',
      'a,b\n"x\ny",2\n',
      [
        ['a', 'b'],
        ['x\ny', '2'],
      ],
    ],
    ['nothing', '', []],
  ]
  for (const [name, text, wanted] of cases) {
    it(`reads ${name}`, async () => assert.deepEqual(await cellsOf(text), wanted))
  }

  it('reads the same whatever the chunks are', async () => {
    const text = 'id,"te""xt"\n1,"a\n""b"""\r\n2,c\n\n3,"d,e"\n'
    const whole = await read(text)
    for (const chars of [1, 2, 3, 5, 7]) assert.deepEqual(await read(text, chars), whole)
  })

  it('counts lines as an editor does', async () => {
    const rows = await read('a,b\n"x\n\ny",1\n\nz,2\n')
    assert.deepEqual(
      rows.map(({ line }) => line),
      [1, 2, 6],
    )
  })

  it('names the line of a quoted cell that does not end', async () => {
    await assert.rejects(read('a,b\n1,"2\n'), { code: 'CSV', message: /line 2/ })
    await assert.rejects(read(`a,b\n1,"${'x'.repeat(1024 * 1024)}\n`), { code: 'CSV', message: /line 2/ })
  })

  it('refuses text after a quoted cell', async () => {
    await assert.rejects(read('a,b\n"1"2,3\n'), { code: 'CSV', message: /line 2: expected "," after a quoted cell/ })
  })
})
