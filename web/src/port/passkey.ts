// Passkeys: what the page speaks of with the site, HTTP and no engine (docs/protocol/passkey.md). By one
// the site gives a token that is good for this device; the engine signs in by that.

import { deviceLabel } from '../device';

/** Trouble is why it did not come to be; 'given up' when a person has chosen that. */
export type Trouble = 'given up' | 'refused' | 'known' | 'offline';

export interface Ticket {
	address: string;
	device: string;
	mechanism: string;
	token: string;
	expiry: string;
}

/** passkeys tells whether this browser and this site have them. */
export async function passkeys(): Promise<boolean> {
	if (!('PublicKeyCredential' in globalThis) || !('parseRequestOptionsFromJSON' in PublicKeyCredential)) return false;
	try {
		const response = await fetch('/site.json', { credentials: 'omit' });
		return ((await response.json()) as { passkeys?: boolean }).passkeys === true;
	} catch {
		return false;
	}
}

/** ticketByPasskey is what to sign in with. */
export async function ticketByPasskey(): Promise<Ticket | Trouble> {
	return tried(async () => {
		const { publicKey } = await post<{ publicKey: PublicKeyCredentialRequestOptionsJSON }>('login/begin', {});
		const options = { publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) };
		const credential = await asked(() => navigator.credentials.get(options));
		const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response as AuthenticatorAssertionResponse;
		return post<Ticket>('login/finish', {
			challenge: publicKey.challenge,
			device: crypto.randomUUID(),
			label: deviceLabel(navigator.userAgent),
			software: 'Mirsal',
			credential: {
				id: credential.id,
				clientDataJSON: text(clientDataJSON),
				authenticatorData: text(authenticatorData),
				signature: text(signature),
				userHandle: userHandle ? text(userHandle) : '',
			},
		});
	});
}

/** addPasskey makes one, by a ticket of passkeyTicket. */
export async function addPasskey(ticket: string): Promise<{ name: string } | Trouble> {
	return tried(async () => {
		const { publicKey } = await post<{ publicKey: PublicKeyCredentialCreationOptionsJSON }>('register/begin', { ticket });
		const options = { publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) };
		const credential = await asked(() => navigator.credentials.create(options));
		const response = credential.response as AuthenticatorAttestationResponse;
		const made = { id: credential.id, clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.getAuthenticatorData()) };
		return post<{ name: string }>('register/finish', { ticket, name: deviceLabel(navigator.userAgent), credential: made });
	});
}

class Stopped extends Error {
	constructor(readonly trouble: Trouble) {
		super(trouble);
	}
}

async function tried<T>(f: () => Promise<T>): Promise<T | Trouble> {
	try {
		return await f();
	} catch (e) {
		return e instanceof Stopped ? e.trouble : 'offline';
	}
}

// browsers do not tell a person's no from having none
async function asked(f: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
	let credential: Credential | null = null;
	try {
		credential = await f();
	} catch (e) {
		if (e instanceof DOMException && e.name === 'InvalidStateError') throw new Stopped('known');
	}
	if (!credential) throw new Stopped('given up');
	return credential as PublicKeyCredential;
}

async function post<T>(what: string, body: object): Promise<T> {
	const response = await fetch(`/passkey/${what}`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify(body),
		credentials: 'omit',
		cache: 'no-store',
	});
	if (!response.ok) throw response.status >= 500 ? new Error() : new Stopped('refused');
	return (await response.json()) as T;
}

// base64url without padding
const text = (bytes: ArrayBuffer) =>
	btoa(String.fromCharCode(...new Uint8Array(bytes)))
		.replaceAll('+', '-')
		.replaceAll('/', '_')
		.replace(/=+$/, '');
