// Who looks at the page, and how somebody comes in. The session is a cookie that no script can read.

import { ask, API } from './client'

/** Who asks; `name` is null where nobody has logged in. */
export interface Who {
  name: string | null
  by: string
}

const posted = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

export const who = () => ask<Who>(`${API}/session`)

export const isFirstOwnerAwaited = async () =>
  (await ask<{ is_open: boolean }>(`${API}/first-owner`)).is_open

export const logIn = (name: string, password: string) =>
  ask(`${API}/session`, posted({ name, password }))

export const becomeFirstOwner = (code: string, name: string, password: string) =>
  ask(`${API}/first-owner`, posted({ code, name, password }))

export const logOut = () => ask(`${API}/session`, { method: 'DELETE' })
