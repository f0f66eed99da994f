// Whom a text means that somebody has pasted or scanned: an address, or a link that invites.

export interface Meant {
	address?: string;
	/** of the invitation: who made it has agreed already */
	token?: string;
	/** why it leads nowhere */
	why?: 'nothing' | 'elsewhere' | 'gone' | 'offline';
}

/** meant reads it. What a link of this site is, the site is asked (docs/protocol/site.md). */
export async function meant(text: string, here: string = location.origin): Promise<Meant> {
	const plain = text.trim();
	const uri = /xmpp:([^\s?#]+)(\?\S*)?/i.exec(plain);
	if (uri) {
		const address = addressOf(decoded(uri[1]!));
		const token = /[?;&]preauth=([^;&\s]+)/.exec(uri[2] ?? '')?.[1];
		return address ? { address, token: token && decoded(token) } : { why: 'nothing' };
	}
	const link = /https?:\/\/\S+/i.exec(plain)?.[0];
	if (link) return ofLink(link, here);
	const address = addressOf(plain);
	return address ? { address } : { why: 'nothing' };
}

/** addressOf is a text as an address, '' when it is none. */
export function addressOf(text: string): string {
	const bare = text.trim().split('/')[0]!;
	return /^[^@\s/<>"'&:]+@[^@\s/<>"'&:]+$/.test(bare) ? bare.toLowerCase() : '';
}

async function ofLink(link: string, here: string): Promise<Meant> {
	let url: URL;
	try {
		url = new URL(link);
	} catch {
		return { why: 'nothing' };
	}
	const token = /^\/invite\/([^/]+)/.exec(url.pathname)?.[1] ?? /[#&]invite=([^&]+)/.exec(url.hash)?.[1];
	if (!token) return { why: 'nothing' };
	if (url.origin !== here) return { why: 'elsewhere' };
	try {
		const response = await fetch(`/invite/${token}/about`, { credentials: 'omit', cache: 'no-store' });
		if (!response.ok) return { why: response.status === 404 ? 'gone' : 'offline' };
		const { from, contact } = (await response.json()) as { from?: string; contact?: boolean };
		return from && contact ? { address: from, token: decoded(token) } : { why: 'gone' };
	} catch {
		return { why: 'offline' };
	}
}

function decoded(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}
