import { expect, test } from 'vitest';
import { callLinkOf, isCall } from '../../model/calllink';
import { FakeEngine } from '../../port/fake';
import type { CallLink } from '../../port/types';
import { Links } from './links.svelte';

const token = 'JBSWY3DPEHPK3PXPJBSWY3DPEH';

test('a call link is read as it is written, also in a sentence, and not otherwise', () => {
	const link = `xmpp:bob@example.org?call;link=${token}`;
	expect(callLinkOf(` ${link}\n`)).toEqual({ address: 'bob@example.org', token });
	expect(callLinkOf(`Call me on Mirsal: ${link}`)).toEqual({ address: 'bob@example.org', token });
	expect(callLinkOf(`xmpp:b%2Bn@example.org?call;link=${token}`)?.address).toBe('b+n@example.org');
	for (const text of ['', 'bob@example.org', 'xmpp:bob@example.org', link.slice(0, -1), `${link}A`, `${link}&x`, link.toUpperCase(), link.toLowerCase(), `${link} ${link}`, link.replace('bob@', ''), link.replace('bob', 'b%40c'),
		link.replace('bob', 'b@c'), link.replace('.org', '.org/phone'), link.replace('xmpp:', 'xmpp://'), link.replace('bob', '%zz'), link.replace('?call;', '?call;video;'), link.replace('bob', 'b%0Ac'), link.replace(/.$/, '1')])
		expect(callLinkOf(text), text).toBeUndefined();
});

test('what means a call link and is none is not taken for an address', () => {
	for (const text of ['xmpp:bob@example.org?call;link=x', 'xmpp:bob@example.org?call', 'see xmpp:bob@example.org?CALL;link=']) expect([isCall(text), callLinkOf(text)], text).toEqual([true, undefined]);
	for (const text of ['xmpp:bob@example.org', 'xmpp:bob@example.org?roster;name=call', 'bob@example.org', 'xmpp:call@example.org?callme']) expect(isCall(text), text).toBe(false);
});

test('the link that was made is shown until it is used, has ended or is put away', async () => {
	let open: CallLink[] = [];
	const engine = new FakeEngine({
		callLinks: ({ lasts, revoke }) => {
			if (revoke === 'gone') return { event: 'callLinkList', links: [], failure: { code: 'missing', text: '' } };
			open = revoke ? open.filter((l) => l.id !== revoke) : open;
			if (lasts) open = [...open, { id: `l${open.length}`, until: '2026-11-23T10:00:00Z' }];
			return { event: 'callLinkList', links: open.map((l, i) => (lasts && i === open.length - 1 ? { ...l, uri: 'xmpp:…' } : l)) };
		},
	});
	const links = new Links();
	await links.make(engine, 3600);
	expect([links.made?.uri, links.open.length, engine.asked.at(-1)]).toEqual(['xmpp:…', 1, { do: 'callLinks', lasts: 3600 }]);
	await links.load(engine);
	expect(links.made?.uri).toBe('xmpp:…');
	open = [];
	await links.load(engine);
	expect(links.made).toBeUndefined();
	await links.make(engine, 86_400);
	links.another();
	expect([links.made, links.open.length]).toEqual([undefined, 1]);
	await links.revoke(engine, 'l0');
	expect([links.open.length, links.failure]).toEqual([0, undefined]);
	open = [{ id: 'l9', until: '2026-11-23T10:00:00Z' }];
	await links.revoke(engine, 'gone'); // used meanwhile: what is there now is shown
	expect([links.open.length, links.failure]).toEqual([1, undefined]);
});
