import { expect, test, vi } from 'vitest'

// uPlot asks for the screen's density as it loads; there is no screen here.
vi.stubGlobal('matchMedia', () => ({ addEventListener: () => {} }))
vi.stubGlobal('devicePixelRatio', 1)
const { halved, midnights } = await import('./plot')

const track = { key: 'k', label: '', unit: '', decimals: 0, colour: '', scale: 'left' } as const

test('two tracks share the height without touching', () => {
  const [low, high] = halved({ ...track, half: 'upper' }, 0, 120)
  expect(high).toBeGreaterThanOrEqual(120)
  expect(-low).toBeGreaterThanOrEqual(high)
  const [bottom, top] = halved({ ...track, half: 'lower' }, -80, 40)
  expect(bottom).toBeLessThanOrEqual(-80)
  expect(40).toBeLessThanOrEqual((bottom + top) / 2)
})

test('nothing known still has a scale', () => {
  expect(halved({ ...track, half: 'upper' }, null, null)[1]).toBeGreaterThan(0)
})

test('days begin at local midnight', () => {
  const start = new Date(2026, 4, 1, 13).getTime() / 1000
  const found = midnights(start, start + 2 * 86_400)
  expect(found.map((at) => new Date(at * 1000).getHours())).toEqual([0, 0])
})
