// The questions that the page asks over HTTP. A problem document becomes a `Refusal` with its reason.

import type { Command, Page, Series, Value, VehicleRow } from './types'

export const API = '/api/v1'
const TIMEOUT_MS = 20_000

/** The server said no, in words: `reason` where it gave one, else the problem's detail. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
  ) {
    super(reason)
  }
}

let nobody = () => {}

/** Have it called when the server no longer knows who asks. */
export function whenNobody(then: () => void): void {
  nobody = then
}

export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const answer = await fetch(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (answer.status === 204) return undefined as T
  if (answer.ok) return (await answer.json()) as T
  if (answer.status === 401 && init.method !== 'POST') nobody()
  const problem = await answer.json().catch(() => ({}))
  const words = problem.reason ?? problem.detail ?? problem.title ?? `HTTP ${answer.status}`
  throw new Refusal(answer.status, String(words))
}

const vehicle = (id: string) => `${API}/vehicles/${encodeURIComponent(id)}`

export async function vehicles(): Promise<VehicleRow[]> {
  return (await ask<Page<VehicleRow>>(`${API}/vehicles`)).items
}

export async function commands(id: string): Promise<Command[]> {
  return (await ask<Page<Command>>(`${vehicle(id)}/commands`)).items
}

export function send(id: string, path: string, value: Value, seconds: number): Promise<Command> {
  return ask<Command>(`${vehicle(id)}/commands`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ path, value, expires_in_s: seconds }),
  })
}

/** Stored values of some signals in [start, end), ms since 1970, at most `points` each. */
export async function series(
  id: string,
  paths: string[],
  start: number,
  end: number,
  points: number,
): Promise<Series[]> {
  const query = new URLSearchParams(paths.map((path) => ['path', path]))
  query.set('start', new Date(start).toISOString())
  query.set('end', new Date(end).toISOString())
  query.set('max_points', String(points))
  return (await ask<{ series: Series[] }>(`${vehicle(id)}/signals?${query}`)).series
}
