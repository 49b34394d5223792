import { expect, test } from 'vitest'
import { en } from './en'
import { fill, preferred } from './language.svelte'
import { zh } from './zh'

const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort()

test('both languages say the same things', () => {
  expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort())
  for (const [key, text] of Object.entries(zh)) {
    expect(text.trim(), key).not.toBe('')
    expect(holes(text), key).toEqual(holes(en[key as keyof typeof en]))
  }
})

test('the language is the first asked for that we speak', () => {
  expect(preferred(['fr-FR', 'zh-Hans-CN', 'en'])).toBe('zh-CN')
  expect(preferred(['en-GB', 'zh'])).toBe('en')
  expect(preferred(['fr'])).toBe('en')
})

test('holes are filled, unknown ones stay visible', () => {
  expect(fill('{a} of {b}', { a: 1 })).toBe('1 of {b}')
})
