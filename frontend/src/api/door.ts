// Who looks at the page, and how somebody comes in. The session is a cookie that no script can read.

import { ask, API } from './client'

/** Who asks; `name` is null where nobody has logged in. */
export interface Who {
  name: string | null
  by: string
}

/** What an invitation gives: `vehicle_id` is `*` for all. */
export interface Invitation {
  role: 'owner' | 'operator' | 'driver' | 'guest' | 'viewer' | 'workshop' | 'maker'
  vehicle_id: string
  name: string | null
}

/** What the password alone gave: somebody is in, or `step` is to come back with a code. */
export interface Entered {
  step?: string
}

const posted = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

const post = <T>(path: string, body: unknown = {}) => ask<T>(`${API}${path}`, posted(body))

export const who = () => ask<Who>(`${API}/session`)

export const isFirstOwnerAwaited = async () =>
  (await ask<{ is_open: boolean }>(`${API}/first-owner`)).is_open

export const logIn = (name: string, password: string) =>
  post<Entered>('/session', { name, password })

export const logInByCode = (step: string, code: string) => post('/session/code', { step, code })

export const becomeFirstOwner = (code: string, name: string, password: string) =>
  post('/first-owner', { code, name, password })

export const logOut = () => ask(`${API}/session`, { method: 'DELETE' })

export const passkeyOptions = () =>
  post<PublicKeyCredentialRequestOptionsJSON>('/session/passkey/options')

export const logInByPasskey = (credential: unknown) => post('/session/passkey', { credential })

export const invitation = (code: string) => post<Invitation>('/join/shown', { code })

export const joinOptions = (code: string, name: string) =>
  post<PublicKeyCredentialCreationOptionsJSON>('/join/options', { code, name })

export const join = (
  code: string,
  name: string,
  by: { password: string } | { credential: unknown },
) => post('/join', { code, name, ...by })

export const nameOfReset = async (code: string) =>
  (await post<{ name: string }>('/reset/shown', { code })).name

export const reset = (code: string, password: string) => post('/reset', { code, password })
