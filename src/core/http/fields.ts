const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/
const [TAB, SPACE] = [0x09, 0x20]
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** One field of a head. */
export interface HttpField {
  /** In lower case. */
  readonly name: string
  readonly value: string
}

/** Whether a text can be a method or the name of a field (RFC 9110, section 5.6.2). */
export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/** Reads the line of a field, in characters of one byte and without its end; undefined where it is none. */
export function parseField(line: string): HttpField | undefined {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon).toLowerCase()
  const value = line.slice(colon + 1)
  return colon === -1 || !TOKEN.test(name) || !VALUE.test(value) ? undefined : { name, value: trimBlanks(value) }
}

/** Without the blanks around it; `trim` would take a byte 160 too, which is a part of letters in UTF-8. */
function trimBlanks(text: string): string {
  let [start, end] = [0, text.length]
  while (isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function isBlank(char: number): boolean {
  return char === SPACE || char === TAB
}

/** Writes the line of a field, with its end; undefined where HTTP cannot carry it (RFC 9110, section 5.5). */
export function toFieldLine(name: string, value: string): string | undefined {
  return TOKEN.test(name) && VALUE.test(value) ? `${name}: ${value}\r\n` : undefined
}
