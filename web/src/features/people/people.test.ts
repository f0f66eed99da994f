import { afterEach, expect, test, vi } from 'vitest';
import { FakeEngine } from '../../port/fake';
import type { Chat, Contact } from '../../port/types';
import { addressOf, meant } from './found';
import { Invitation } from './invitation.svelte';
import { shared } from './shared';

const here = 'https://example.org';
afterEach(() => vi.unstubAllGlobals());

test('an address is read in whatever way it was sent', async () => {
	expect(await meant(' Bob@example.org ', here)).toEqual({ address: 'bob@example.org' });
	expect(await meant('xmpp:bob@example.org', here)).toEqual({ address: 'bob@example.org', token: undefined });
	expect(await meant('here: xmpp:b%6Fb@example.org?roster;preauth=T%41K;ibr=y !', here)).toEqual({ address: 'bob@example.org', token: 'TAK' });
	expect(addressOf('bob@example.org/phone')).toBe('bob@example.org');
	for (const text of ['', 'bob', '@example.org', 'two words@example.org', 'a@b@c', '<script>@x']) expect(addressOf(text), text).toBe('');
	expect(await meant('nobody', here)).toEqual({ why: 'nothing' });
});

test('a link of this site is asked whose it is, any other is not', async () => {
	const asked: string[] = [];
	const site = (status: number, body: object) =>
		vi.stubGlobal('fetch', async (path: string) => {
			asked.push(path);
			return new Response(JSON.stringify(body), { status });
		});
	site(200, { from: 'amal@example.org', contact: true });
	expect(await meant(`${here}/invite/TOKEN`, here)).toEqual({ address: 'amal@example.org', token: 'TOKEN' });
	expect(await meant(`Come: ${here}/#invite=TOKEN`, here)).toEqual({ address: 'amal@example.org', token: 'TOKEN' });
	expect(asked).toEqual(['/invite/TOKEN/about', '/invite/TOKEN/about']);
	expect(await meant('https://other.net/invite/TOKEN', here)).toEqual({ why: 'elsewhere' });
	expect(await meant(`${here}/about`, here)).toEqual({ why: 'nothing' });
	expect(asked.length).toBe(2);
	site(404, { why: 'gone' });
	expect(await meant(`${here}/invite/OLD`, here)).toEqual({ why: 'gone' });
	site(429, { why: 'paced' });
	expect(await meant(`${here}/invite/NEW`, here)).toEqual({ why: 'offline' });
});

test('a link that was made stays until it is out of date', async () => {
	const engine = new FakeEngine({ inviteLink: () => ({ event: 'code', text: 'https://x/invite/T', until: '2030-01-01T00:00:00Z' }) });
	const invitation = new Invitation();
	expect(invitation.usable()).toBe(false);
	const bob = { address: 'bob@x', state: 'contact' } as Contact;
	await invitation.make(engine, [bob, { address: 'carol@x', state: 'asks' } as Contact]);
	expect(invitation.usable(Date.parse('2029-12-31T00:00:00Z'))).toBe(true);
	expect(invitation.usable(Date.parse('2030-01-02T00:00:00Z'))).toBe(false);
	// it is used when somebody has come
	expect(invitation.came([bob, { address: 'dora@x', state: 'asks' } as Contact])).toBeUndefined();
	expect(invitation.came([bob, { address: 'erin@x', state: 'contact' } as Contact])?.address).toBe('erin@x');
	await invitation.make(engine, [bob, { address: 'erin@x', state: 'contact' } as Contact]);
	expect(invitation.came([bob, { address: 'erin@x', state: 'contact' } as Contact])).toBeUndefined();
});

test('shared groups are those that both are members of', async () => {
	const members: Record<string, object[]> = {
		'one@c': [{ address: 'bob@x', role: 'member' }],
		'two@c': [{ address: 'bob@x', role: 'none' }],
		'three@c': [{ address: 'eve@x', role: 'owner' }],
	};
	const engine = new FakeEngine({ listMembers: ({ room }) => ({ event: 'memberList', room, members: members[room] ?? null }) });
	const chats = ['one@c', 'two@c', 'three@c', 'four@c'].map((address) => ({ address, room: true }) as Chat);
	expect((await shared(engine, [...chats, { address: 'bob@x' } as Chat], 'bob@x')).map((c) => c.address)).toEqual(['one@c']);
});
