// What the site says of an invitation (docs/protocol/site.md, "Invitations").

import type { World } from '../../model/world';
import { failed } from '../../port/engine';
import type { Failure } from '../../port/types';

export interface Invitation {
	token: string;
	domain: string;
	/** the address of who invites */
	from?: string;
	/** what they call themselves */
	called?: string;
	circle?: string;
	/** the one name that can be taken */
	name?: string;
	/** an account can be made; else it is for people who have one */
	account: boolean;
	contact: boolean;
	/** the group that it leads to */
	room?: LinkedRoom;
}

/** A LinkedRoom is what its link tells of a group. */
export interface LinkedRoom {
	address: string;
	name?: string;
	about?: string;
	/** the media type of picture */
	type?: string;
	/** in base64 */
	picture?: string;
	/** an admin decides who comes in */
	asks: boolean;
}

// what a browser draws without running anything in it
const drawn = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif']);

/** faceOf is the picture of a group as an address to draw, '' for none. */
export function faceOf({ type = '', picture }: LinkedRoom): string {
	if (!picture || !drawn.has(type)) return '';
	return URL.createObjectURL(new Blob([Uint8Array.from(atob(picture), (c) => c.charCodeAt(0))], { type }));
}

/** comeByLink joins a group, or asks to. */
export async function comeByLink(engine: Pick<World['engine'], 'do'>, room: LinkedRoom, token: string): Promise<Failure | undefined> {
	return failed(await engine.do({ do: 'joinByLink', room: room.address, token, name: room.name }));
}

/** A Refusal is why there is no invitation: it leads nowhere, is to be tried later, or there is no network. */
export type Refusal = 'gone' | 'paced' | 'offline';

/** about asks what an invitation is. */
export async function about(token: string): Promise<Invitation | Refusal> {
	const answer = await ask(token, 'about');
	return typeof answer === 'string' ? answer : { ...(answer as Omit<Invitation, 'token'>), token };
}

export interface Named {
	free: boolean;
	/** as it would be written */
	name?: string;
	why?: string;
}

/** named asks whether a name can be taken. Nothing is reserved by that. */
export async function named(token: string, name: string): Promise<Named | Refusal> {
	return (await ask(token, 'name', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name }) })) as Named | Refusal;
}

async function ask(token: string, what: string, how?: RequestInit): Promise<object | Refusal> {
	try {
		const response = await fetch(`/invite/${encodeURIComponent(token)}/${what}`, { ...how, credentials: 'omit', cache: 'no-store' });
		if (response.ok) return (await response.json()) as object;
		return response.status === 404 || response.status === 400 ? 'gone' : 'paced';
	} catch {
		return 'offline';
	}
}

/** Arrival is what an address of ours brings along behind its #: an invitation, or the code of another device. */
export interface Arrival {
	token?: string;
	code?: string;
}

/** arrivalOf reads it from an address, from what somebody has pasted or scanned: a link, an xmpp: address, a code. */
export function arrivalOf(text: string): Arrival {
	const plain = text.trim();
	const code = /mirsal:link\?\S+/.exec(plain)?.[0];
	if (code) return { code };
	// docs/protocol/link.md, "The code": in the address of a page
	const linked = /#link=(a=\S+)/.exec(plain)?.[1];
	if (linked) return { code: `mirsal:link?${linked}` };
	const invited = /#invite=([^&\s]+)/.exec(plain)?.[1];
	if (invited) return { token: decoded(invited) };
	const token = /\/invite\/([^/?#\s]+)/.exec(plain)?.[1] ?? /[?;&]preauth=([^;&\s]+)/.exec(plain)?.[1];
	return token ? { token: decoded(token) } : {};
}

/** ownerOf is whose device shows a code, '' when it is none. */
export function ownerOf(code: string): string {
	return new URLSearchParams(code.replace(/^mirsal:link\?/, '')).get('a') ?? '';
}

function decoded(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}
