// Signing in by a passkey: an exchange with the site for a token that is good for this device once
// (docs/protocol/passkey.md). The engine signs in by that.

import { deviceLabel } from '../../device';
import type { Connection } from '../../model/connection.svelte';

/** Trouble is why it did not come to be; 'given up' when a person has chosen that. */
export type Trouble = 'given up' | 'refused' | 'offline';

interface Ticket {
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

/** signInByPasskey is undefined when it went well. */
export async function signInByPasskey(connection: Pick<Connection, 'signIn'>): Promise<Trouble | undefined> {
	try {
		const { publicKey } = await post<{ publicKey: PublicKeyCredentialRequestOptionsJSON }>('begin', {});
		const credential = await shown(publicKey);
		if (!credential) return 'given up';
		const device = crypto.randomUUID();
		const label = deviceLabel(navigator.userAgent);
		const ticket = await post<Ticket>('finish', { challenge: publicKey.challenge, device, label, software: 'Mirsal', credential });
		const failure = await connection.signIn({ address: ticket.address, token: ticket.token, mechanism: ticket.mechanism, expiry: ticket.expiry, device: ticket.device });
		return failure && (failure.code === 'unreachable' ? 'offline' : 'refused');
	} catch (e) {
		return e instanceof Refused ? 'refused' : 'offline';
	}
}

async function shown(options: PublicKeyCredentialRequestOptionsJSON): Promise<object | undefined> {
	let credential: PublicKeyCredential | null;
	try {
		credential = (await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })) as PublicKeyCredential | null;
	} catch {
		return undefined; // browsers do not tell a person's no from having none
	}
	if (!credential) return undefined;
	const response = credential.response as AuthenticatorAssertionResponse;
	return {
		id: credential.id,
		clientDataJSON: text(response.clientDataJSON),
		authenticatorData: text(response.authenticatorData),
		signature: text(response.signature),
		userHandle: response.userHandle ? text(response.userHandle) : '',
	};
}

class Refused extends Error {}

async function post<T>(what: string, body: object): Promise<T> {
	const response = await fetch(`/passkey/login/${what}`, {
		method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), credentials: 'omit', cache: 'no-store',
	});
	if (!response.ok) throw response.status >= 500 ? new Error() : new Refused();
	return (await response.json()) as T;
}

// base64url without padding
const text = (bytes: ArrayBuffer) =>
	btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
