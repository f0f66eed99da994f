// A link by which one may call somebody once (docs/protocol/calls.md, "Call links"), and the one that was opened
// last: nothing is called before somebody says so.

export interface CallLink {
	address: string;
	token: string;
}

const whole = /^xmpp:([^\s?#/@&<>"']+)@([^\s?#/@&<>"':]+)\?call;link=([A-Z2-7]{26})$/;

/** callLinkOf reads one that stands in a text as a word of its own, written as links are and not otherwise. */
export function callLinkOf(text: string): CallLink | undefined {
	const found = text.trim().split(/\s+/).map((word) => whole.exec(word)).filter((it) => it !== null);
	const [link] = found;
	if (!link || found.length > 1) return undefined;
	const local = decoded(link[1]!);
	return local && !/[\s@/<>"'&:]/.test(local) ? { address: `${local}@${link[2]}`.toLowerCase(), token: link[3]! } : undefined;
}

/** isCall tells whether a text means a call link, also one that cannot be read. */
export const isCall = (text: string): boolean => /xmpp:\S*[?;]call\b/i.test(text);

function decoded(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return '';
	}
}

let opened: CallLink | undefined;

/** open keeps a link for the page that asks whether to call. */
export const open = (link: CallLink | undefined): void => void (opened = link);
export const opening = (): CallLink | undefined => opened;
