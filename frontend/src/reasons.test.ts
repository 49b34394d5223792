import { expect, test } from 'vitest'
import { reason } from './reasons'

test.each([
  ['not while moving: speed is 52.3 km/h', ['reason.moving', { speed: '52.3 km/h' }]],
  ['not while moving: the speed is not known', ['reason.moving.unknown', {}]],
  ['out of range: 45; allowed: 50..100', ['reason.range', { value: '45', allowed: '50–100' }]],
  ['out of range: not a number', ['reason.range.plain', { rest: 'not a number' }]],
  ['rate limit: one in 1 s; the last was 0.4 s ago', ['reason.rate', { limit: '1 s', since: '0.4 s' }]],
  ['no limit entry: Vehicle.X may not be asked of this car', ['reason.entry', {}]],
  ['superseded: by command 12', ['reason.superseded', {}]],
])('%s', (text, sentence) => {
  expect(reason(text)).toEqual(sentence)
})

test('a reason that nobody knows is told as it came', () => {
  expect(reason('the moon is full')).toBeNull()
})
