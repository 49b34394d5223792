// The browser's part of a passkey: it makes one, or shows one, once its user has agreed to it.
//
//   await logInByPasskey(await showPasskey(await passkeyOptions()))

/** Whether this browser knows passkeys, on this page: it must be `localhost`, or have TLS. */
export const hasPasskeys =
  typeof PublicKeyCredential !== 'undefined' && 'parseRequestOptionsFromJSON' in PublicKeyCredential

/** Nobody agreed, or there is none for this page. */
export class NoPasskey extends Error {}

export const makePasskey = (options: PublicKeyCredentialCreationOptionsJSON) =>
  told(() =>
    navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
    }),
  )

export const showPasskey = (options: PublicKeyCredentialRequestOptionsJSON) =>
  told(() =>
    navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
    }),
  )

async function told(ask: () => Promise<Credential | null>): Promise<unknown> {
  try {
    return ((await ask()) as PublicKeyCredential).toJSON()
  } catch (error) {
    throw error instanceof DOMException ? new NoPasskey(error.message) : error
  }
}
