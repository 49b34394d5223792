// Whether somebody is in, and what stands at the door if not: a login, the second step of one, the
// first owner's welcome, an invitation, or a password to be chosen anew.
//
//   door.begin(() => cockpit.begin())

import { Refusal, whenNobody } from './api/client'
import * as api from './api/door'
import { makePasskey, showPasskey } from './api/passkeys'

export type Stands =
  | 'asking'
  | 'in'
  | 'login'
  | 'code'
  | 'first-owner'
  | 'waiting'
  | 'invited'
  | 'reset'
  | 'ended'

const LINKS = ['/first-owner', '/join', '/reset']
const AGAIN_MS = 3000

class Door {
  stands = $state<Stands>('asking')
  name = $state<string | null>(null)
  /** Whether there is a login to leave by. */
  isSession = $state(false)
  /** What the link that was opened gives. */
  invitation = $state<api.Invitation | null>(null)
  /** Whose password is chosen anew. */
  whose = $state('')
  #enter = () => {}
  #link = ''
  #code = ''
  #step = ''

  begin(enter: () => void): void {
    this.#enter = enter
    if (LINKS.includes(location.pathname)) {
      this.#link = location.pathname
      this.#code = location.hash.slice(1)
      history.replaceState(null, '', '/')
    }
    whenNobody(() => this.leave())
    void this.#look()
  }

  /** The session has ended: begin anew, at the door. */
  leave(): void {
    if (this.stands === 'in') location.assign('/')
  }

  async #look(): Promise<void> {
    try {
      if (this.#code && this.#link !== '/first-owner') return await this.#open()
      const asked = await api.who()
      if (asked.name !== null) return this.#comeIn(asked.name, asked.by)
      const isAwaited = await api.isFirstOwnerAwaited()
      this.stands = !isAwaited ? 'login' : this.#code ? 'first-owner' : 'waiting'
    } catch {
      setTimeout(() => void this.#look(), AGAIN_MS)
    }
  }

  /** What a link leads to, whoever is in. */
  async #open(): Promise<void> {
    try {
      if (this.#link === '/join') this.invitation = await api.invitation(this.#code)
      else this.whose = await api.nameOfReset(this.#code)
      this.stands = this.#link === '/join' ? 'invited' : 'reset'
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.stands = 'ended'
    }
  }

  /** The link that was opened has done what it is for. */
  async #use(): Promise<void> {
    this.#code = ''
    await this.#look()
  }

  async logIn(name: string, password: string): Promise<void> {
    const { step } = await api.logIn(name, password)
    if (step === undefined) return this.#look()
    this.#step = step
    this.stands = 'code'
  }

  async logInByCode(code: string): Promise<void> {
    await api.logInByCode(this.#step, code)
    await this.#look()
  }

  async logInByPasskey(): Promise<void> {
    await api.logInByPasskey(await showPasskey(await api.passkeyOptions()))
    await this.#look()
  }

  async become(name: string, password: string): Promise<void> {
    await api.becomeFirstOwner(this.#code, name, password)
    await this.#use()
  }

  async join(name: string, password: string): Promise<void> {
    await api.join(this.#code, name, { password })
    await this.#use()
  }

  async joinByPasskey(name: string): Promise<void> {
    const credential = await makePasskey(await api.joinOptions(this.#code, name))
    await api.join(this.#code, name, { credential })
    await this.#use()
  }

  async reset(password: string): Promise<void> {
    await api.reset(this.#code, password)
    this.#code = ''
    await this.logIn(this.whose, password)
  }

  async logOut(): Promise<void> {
    await api.logOut()
    this.leave()
  }

  #comeIn(name: string, by: string): void {
    this.name = name
    this.isSession = by.startsWith('session ')
    this.stands = 'in'
    this.#enter()
  }
}

export const door = new Door()
