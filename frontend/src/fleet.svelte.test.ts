import { expect, test } from 'vitest'
import type { Command } from './api/types'
import { apply, learn, orders, type Fleet } from './fleet'
import { LOCKS, PATHS } from './paths'

const T0 = '2026-05-01T08:00:00Z'

function fleet(): Fleet {
  // Reactive, as on the page: such state keeps copies of what it is given.
  const known = $state<Fleet>({ vehicles: {}, commands: {} })
  const speed = { value: 12, unit: 'km/h', ts: T0, desired: null, stale: false }
  const vehicle = { vehicle_id: 'demo', name: 'Demo', profile: null, connectivity: 'online' } as const
  apply(known, { type: 'snapshot', vehicles: [{ ...vehicle, signals: { [PATHS.speed]: speed } }] })
  return known
}

function command(id: string, more: Partial<Command> = {}): Command {
  return {
    id,
    vehicle_id: 'demo',
    path: LOCKS[0]!,
    value: true,
    issued_by: null,
    issued_at: T0,
    expires_at: null,
    state: 'queued',
    reason: null,
    ...more,
  }
}

test('a change sets value and instant, and ends staleness', () => {
  const known = fleet()
  apply(known, { type: 'stale', vehicle_id: 'demo', paths: [PATHS.speed] })
  expect(known.vehicles.demo!.signals[PATHS.speed]).toMatchObject({ value: 12, stale: true })
  const ts = '2026-05-01T08:00:01Z'
  apply(known, { type: 'change', vehicle_id: 'demo', ts, values: { [PATHS.speed]: 13 } })
  expect(known.vehicles.demo!.signals[PATHS.speed]).toMatchObject({ value: 13, ts, stale: false })
})

test('a desired value leaves the reported one alone', () => {
  const known = fleet()
  apply(known, { type: 'desired', vehicle_id: 'demo', values: { [PATHS.chargeLimit]: 90 } })
  expect(known.vehicles.demo!.signals[PATHS.chargeLimit]).toMatchObject({ value: null, desired: 90 })
})

test('the state of a command never turns back', () => {
  const known = fleet()
  learn(known, command('a', { state: 'refused', reason: 'not while moving: speed is 52.3 km/h' }))
  learn(known, command('a', { state: 'queued' }))
  learn(known, command('a', { state: 'done' }))
  expect(known.commands.demo).toHaveLength(1)
  expect(known.commands.demo![0]!.state).toBe('refused')
})

test('one tap on several locks is one row, whose state is the worst', () => {
  const five = LOCKS.map((path, n) => command(String(n), { path, state: n ? 'done' : 'sent' }))
  const limit = command('limit', { path: PATHS.chargeLimit, value: 80, state: 'done' })
  const rows = orders([...five, limit], LOCKS)
  expect(rows.map((row) => [row.commands.length, row.state])).toEqual([
    [5, 'sent'],
    [1, 'done'],
  ])
  five[4]!.state = 'refused'
  expect(orders(five, LOCKS)[0]!.state).toBe('refused')
})

test('a second tap on the same locks is a second row', () => {
  const twice = [...LOCKS, ...LOCKS].map((path, n) => command(String(n), { path }))
  expect(orders(twice, LOCKS)).toHaveLength(2)
})

test('nothing is lost of a car or a signal that was not known', () => {
  const known = fleet()
  const values = { [PATHS.chargeLimit]: 80 }
  apply(known, { type: 'change', vehicle_id: 'new', ts: T0, values })
  expect(known.vehicles.new!.signals[PATHS.chargeLimit]).toMatchObject({ value: 80, ts: T0 })
})
